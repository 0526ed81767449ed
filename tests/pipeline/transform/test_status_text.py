"""Tests of the grammar of statuses."""

from datetime import date

import pytest

from pipeline.transform.grammar import Parsed
from pipeline.transform.source_text import words
from pipeline.transform.status_text import read_status
from warehouse.records.models import CompanyStatus

_LATEST = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        *(
            (text, ())
            for text in words(
                "Activă | activă. | Compania activează | ● Active | Действующая | Company is active | Înregistrată"
            )
        ),
        ("Activă din 2015", ("Activă din 2015",)),
        ("Activă (înregistrată)", ("înregistrată",)),
        ("Activă, conform RSUD", ("conform RSUD",)),
        ("Действующая (с 12.03.2015)", ("с 12.03.2015",)),
        ("Active since March 12, 2015", ("Active since March 12, 2015",)),
        ("Activă — actualizat la 01.09.2026", ("actualizat la 01.09.2026",)),
        ("Înregistrată la 12.03.2015", ("Înregistrată la 12.03.2015",)),
    ],
)
def test_active_company_is_active_with_the_remarks_kept(text: str, remarks: tuple[str, ...]) -> None:
    assert read_status(text, latest=_LATEST) == Parsed(CompanyStatus.ACTIVE, remarks)


@pytest.mark.parametrize(
    "text",
    [
        *words("Radiată din 02.02.2020 | Исключена из реестра 02.02.2020 | Struck off on 2 February 2020"),
        *words("Radiată la 14.02.2022 | Lichidată la data de 2 februarie 2020 | Ликвидировано в 2020 г."),
        *words("Radiată din registrul de stat la 02/02/2020 | Struck off the register on February 2, 2020"),
        *words(
            "Compania a fost radiată la 02.02.2020 | Исключена из государственного реестра 2 февраля 2020 г."
        ),
        *words(
            "Inactivă din 2019 | Деятельность прекращена 02.02.2020 | Closed since 2019 | Radiată din oficiu în 2020"
        ),
    ],
)
def test_company_that_was_closed_is_inactive_with_the_date_kept(text: str) -> None:
    assert read_status(text, latest=_LATEST) == Parsed(CompanyStatus.INACTIVE, (text,))


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("Lichidată (02.02.2020)", ("02.02.2020",)),
        ("Radiată (lichidată)", ("lichidată",)),
        ("Inactivă (în lichidare)", ("în lichidare",)),
        ("Lichidată", ()),
    ],
)
def test_remarks_in_parentheses_of_an_inactive_company_are_kept(text: str, remarks: tuple[str, ...]) -> None:
    assert read_status(text, latest=_LATEST) == Parsed(CompanyStatus.INACTIVE, remarks)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Activă (radiată la 01.02.2024)", "radiată la 01.02.2024"),
        ("Activă (în lichidare)", "în lichidare"),
        ("Activă, în procedura de insolvabilitate", "în procedura de insolvabilitate"),
        ("Activă (în procedură de insolvabilitate)", "în procedură de insolvabilitate"),
        ("Действующая (в процессе ликвидации с 03.02.2023)", "в процессе ликвидации с 03.02.2023"),
        ("Active (under liquidation)", "under liquidation"),
        ("Active - in insolvency proceedings", "in insolvency proceedings"),
        ("Activă (activitate suspendată)", "activitate suspendată"),
        ("Activă / în curs de radiere", "în curs de radiere"),
        ("Активна, в стадии реорганизации", "в стадии реорганизации"),
        *(
            (text, text)
            for text in words(
                "În lichidare | suspendată | Suspended | в процессе ликвидации | Under liquidation"
            )
        ),
        *(
            (text, text)
            for text in words(
                "În proces de lichidare din 2020 | Insolvabilă | Банкротство | Dormant | În faliment"
            )
        ),
        *(
            (text, text)
            for text in words(
                "Ликвидируется | Being struck off | In liquidation | Деятельность приостановлена"
            )
        ),
    ],
)
def test_company_in_a_procedure_is_never_plainly_active(text: str, remark: str) -> None:
    read = read_status(text, latest=_LATEST)
    assert (read.value, read.remarks) == (None, (remark,))
    assert read.reason is not None


@pytest.mark.parametrize(
    "text",
    words(
        """
        Activă (cod roșu) | Nu a fost radiată | A fost activă | Activă până la 01.02.2030 | va fi lichidată |
        Radiată la 01.02.2099 | Activă Radiată | Se încarcă… | Conectați-vă | Plătitor de TVA | Activă2 | din 2015 |
        {{ company.isActive ? 'Activă' : 'Radiată' }} | Activă sau inactivă | Probabil activă | fostă activă | 1
        """
    ),
)
def test_text_that_is_not_understood_is_no_status(text: str) -> None:
    read = read_status(text, latest=_LATEST)
    assert read.value is None
    assert read.reason is not None


def test_words_of_registration_are_a_status_only_next_to_a_label() -> None:
    assert read_status("Înregistrată", labelled=False).value is None
    assert read_status("Activă", labelled=False).value is CompanyStatus.ACTIVE
