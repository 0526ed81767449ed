"""Tests of the merge of a capture's HTML and JSON into one company's facts."""

import json
from typing import Any

import pytest

from pipeline.transform.merge import NotThisCompany, transform
from tests.pipeline.transform.html_pages import IDNO, OTHER_IDNO, PageCompany, page
from warehouse.records.models import CompanyStatus


def body(**changes: Any) -> bytes:
    """Return the API's answer for the company of PageCompany."""
    founders = [
        {"fullName": name, "id": "ab12", "shares": float(share)}
        for name, share in PageCompany().founders.items()
    ]
    answer = {
        "idno": IDNO,
        "fullName": "PLOPENA AGRO",
        "type": "SRL",
        "isActive": True,
        "registeredAt": "2020-07-09",
        "address": {"fullName": PageCompany().address},
        "personFounders": founders,
        "personAdministrators": [{"fullName": "PROBARU VASILE", "id": "cd34", "type": "ADMINISTRATOR"}],
    }
    return json.dumps(answer | changes).encode()


def test_two_readings_that_agree_have_no_disagreements() -> None:
    transformed = transform(idno=IDNO, html=page(PageCompany()), bodies=[body()])

    assert transformed.disagreements == {}
    assert [party.source_id for party in transformed.facts.founders] == ["ab12", "ab12"]


def test_both_romanian_spellings_agree() -> None:
    bodies = [body(fullName="ŞOIMENI ŢARĂ", address={"fullName": "str. Ştiinţei"})]

    transformed = transform(
        idno=IDNO, html=page(PageCompany(name="ȘOIMENI ȚARĂ", address="str. Științei")), bodies=bodies
    )

    assert transformed.disagreements == {}


def test_on_contradiction_the_json_is_used_and_the_disagreement_recorded() -> None:
    shown = "MD-2001, mun. Chișinău, str. Alta, 1"
    transformed = transform(idno=IDNO, html=page(PageCompany(address=shown)), bodies=[body()])

    assert transformed.facts.address == PageCompany().address
    assert transformed.disagreements["address"] == {"html": shown, "json": PageCompany().address}


def test_date_has_no_value_if_the_page_contradicts_the_json() -> None:
    transformed = transform(idno=IDNO, html=page(PageCompany(date="10.07.2020")), bodies=[body()])

    assert transformed.facts.registered_on is None
    assert "registered_on" not in transformed.sources
    assert transformed.disagreements == {"registered_on": {"html": "2020-07-10", "json": "2020-07-09"}}


@pytest.mark.parametrize(
    ("shown", "is_active", "html"),
    [
        ("Lichidată", True, "inactive"),
        ("Radiată la 04.03.2024", True, "inactive"),
        ("Activă", False, "active"),
        ("Activă (în lichidare)", True, "Activă (în lichidare)"),
        ("Suspendată", True, "Suspendată"),
        ("Activă (cod roșu)", True, "Activă (cod roșu)"),
    ],
)
def test_status_has_no_value_if_the_page_contradicts_the_json(shown: str, is_active: bool, html: str) -> None:
    transformed = transform(
        idno=IDNO, html=page(PageCompany(status=shown)), bodies=[body(isActive=is_active)]
    )

    assert transformed.facts.status is None
    assert "status" not in transformed.sources
    json_value = "active" if is_active else "inactive"
    assert transformed.disagreements == {"status": {"html": html, "json": json_value}}


@pytest.mark.parametrize("shown", ["", "—", "Se încarcă…", "{{ company.status }}", "Conectați-vă"])
def test_status_of_the_json_is_used_if_the_page_shows_none(shown: str) -> None:
    transformed = transform(idno=IDNO, html=page(PageCompany(status=shown)), bodies=[body()])

    assert transformed.facts.status is CompanyStatus.ACTIVE


def test_company_in_liquidation_that_the_json_calls_inactive_is_inactive() -> None:
    transformed = transform(
        idno=IDNO, html=page(PageCompany(status="În lichidare")), bodies=[body(isActive=False)]
    )

    assert transformed.facts.status is CompanyStatus.INACTIVE
    assert transformed.remarks == {"status": ("În lichidare",)}


def test_remarks_of_both_readings_are_kept() -> None:
    shown = page(PageCompany(date="09.07.2020 (6 ani)"))
    transformed = transform(idno=IDNO, html=shown, bodies=[body(registeredAt="2020-07-09 (RSUD)")])

    assert transformed.remarks == {"registered_on": ("6 ani", "RSUD")}


def test_a_field_missing_from_the_json_is_taken_from_the_html() -> None:
    transformed = transform(
        idno=IDNO, html=page(PageCompany()), bodies=[body(address=None, personFounders=[])]
    )

    assert transformed.facts.address == PageCompany().address
    assert len(transformed.facts.founders) == 2
    assert transformed.disagreements == {}


def test_the_html_alone_is_sufficient() -> None:
    transformed = transform(idno=IDNO, html=page(PageCompany()), bodies=[b"no json", b"[]"])

    assert transformed.facts.name == "PLOPENA AGRO"


def test_the_heading_can_include_the_legal_form() -> None:
    html = page(PageCompany(name="„PLOPENA AGRO” S.R.L."))

    assert transform(idno=IDNO, html=html, bodies=[body()]).facts.name == "PLOPENA AGRO"


@pytest.mark.parametrize(
    ("html", "bodies", "reason"),
    [
        (page(PageCompany(name="ALTA")), [body()], "but its JSON belongs to"),
        (page(PageCompany()).replace(IDNO, OTHER_IDNO), [], f"the page shows the company {OTHER_IDNO}"),
        (page(PageCompany(name="Compania nu a fost găsită")), [body()], "no company name"),
        ("<p>Se încarcă…</p>", [body()], "no company name"),
        ("<h1>PLOPENA AGRO</h1>", [], "neither the page nor its JSON"),
    ],
)
def test_a_page_not_provably_of_the_company_is_rejected(html: str, bodies: list[bytes], reason: str) -> None:
    with pytest.raises(NotThisCompany, match=reason):
        transform(idno=IDNO, html=html, bodies=bodies)
