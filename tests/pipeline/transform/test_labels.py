"""Recognition of labels, statuses, legal forms and roles."""

import pytest

from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of, is_action
from pipeline.transform.vocabulary.party_words import role_words_of
from pipeline.transform.vocabulary.statuses import status_of
from pipeline.transform.vocabulary.terms import legal_form_of
from warehouse.records.models import CompanyStatus


@pytest.mark.parametrize(
    ("label", "field"),
    [
        *(("IDNO", Field.IDNO), ("IDNO / Cod fiscal:", Field.IDNO), ("Фискальный код (IDNO)", Field.IDNO)),
        *(("Numărul de identificare de stat (IDNO)", Field.IDNO), ("Company number (IDNO)", Field.IDNO)),
        *(
            ("Forma org./jurid.", Field.LEGAL_FORM),
            ("ОПФ", Field.LEGAL_FORM),
            ("Type of entity", Field.LEGAL_FORM),
        ),
        *(
            ("Starea companiei", Field.STATUS),
            ("Состояние предприятия", Field.STATUS),
            ("Company status", Field.STATUS),
        ),
        *(
            ("Data înregistrării de stat", Field.REGISTERED_ON),
            ("Дата государственной регистрации", Field.REGISTERED_ON),
        ),
        *(
            ("Incorporated", Field.REGISTERED_ON),
            ("Adresa sediului:", Field.ADDRESS),
            ("Юр. адрес", Field.ADDRESS),
        ),
        *(
            ("Registered office", Field.ADDRESS),
            ("Address of the company", Field.ADDRESS),
            ("Adresa firmei", Field.ADDRESS),
        ),
        *(
            ("FONDATORI (2)", Field.FOUNDERS),
            ("Fondatori · 3", Field.FOUNDERS),
            ("Учредители и доли", Field.FOUNDERS),
        ),
        *(("Founders and shares", Field.FOUNDERS), ("Lista conducătorilor", Field.ADMINISTRATORS)),
        *(("Company management", Field.ADMINISTRATORS), ("Состав руководства", Field.ADMINISTRATORS)),
    ],
)
def test_label_is_recognized_in_every_language_and_spelling(label: str, field: Field) -> None:
    assert field_of(label) is field


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Adresa de e-mail",
            "Адрес эл. почты",
            "Email address",
            "Data înregistrării TVA",
            "Data lichidării",
        ),
        *("Дата регистрации НДС", "Capital social", "Beneficiari efectivi"),
    ],
)
def test_similar_label_is_not_confused_with_a_field_that_is_read(text: str) -> None:
    assert field_of(text) is Field.OTHER


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "Adresa noastră",
        "Adresa pe hartă",
        "Adresa / CUATM",
        "Administrator site",
        "ADRESA PLUS",
        "Adresa (TVA)",
    ],
)
def test_text_that_only_starts_like_a_label_is_not_one(text: str) -> None:
    assert field_of(text) is None


@pytest.mark.parametrize("text", ["Activă", "● Active", "Действующая", "În activitate"])
def test_active_status_is_recognized(text: str) -> None:
    assert status_of(text) is CompanyStatus.ACTIVE


@pytest.mark.parametrize(
    "text", ["Inactivă", "Lichidată", "Ликвидирована", "Not active", "Radiată", "Не действует"]
)
def test_inactive_status_is_recognized(text: str) -> None:
    assert status_of(text) is CompanyStatus.INACTIVE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(
            ("SRL", "SRL"),
            ("S.R.L.", "SRL"),
            ("Societate cu răspundere limitată (SRL)", "SRL"),
            ("ООО", "SRL"),
        ),
        *(
            ("Societate pe acţiuni", "SA"),
            ("II", "ÎI"),
            ("Gospodărie ţărănească (de fermier)", "GȚ"),
            ("SA (SRL)", None),
        ),
        *(("State enterprise", "ÎS"), ("Крестьянское (фермерское) хозяйство", "GȚ"), ("Companie", None)),
    ],
)
def test_legal_form_is_recognized_by_code_and_by_name(text: str, code: str | None) -> None:
    assert legal_form_of(text) == code


def test_roles_and_clickable_texts_are_recognized() -> None:
    assert role_words_of("(Administrator)") and role_words_of("генеральный директор")
    assert role_words_of("MODELEANU ION") is None
    assert is_action("Vezi pe hartă") and is_action("Показать на карте →") and not is_action("ALLEGRO")
