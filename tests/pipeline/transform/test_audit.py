"""Tests of the audit: each JSON key and each label of a page is read, deliberately ignored, or reported."""

import json
from typing import Any

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.merge import transform
from pipeline.transform.reading import Reading
from standin import company, fin_data
from standin.site_facts import make_idno
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LAYOUTS,
    Frame,
    Layout,
    PageCompany,
    definitions,
    page,
)


def read(**answer: Any) -> Reading:
    body = {"idno": IDNO, "fullName": "PLOPENA AGRO", **answer}
    reading = read_payloads([json.dumps(body).encode()], IDNO)
    assert reading is not None
    return reading


def test_all_keys_that_the_source_sends_are_known() -> None:
    for number in range(100):
        idno = make_idno(number)
        bodies = [json.dumps(body).encode() for body in (company(idno), fin_data(idno))]
        html = f"<h1>{company(idno)['fullName'].replace('&', '&amp;')}</h1>"

        assert transform(idno=idno, html=html, bodies=bodies).unknown == ()


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"email": "a@b.md"}, "companies.email"),
        (
            {"personFounders": [{"fullName": "X", "citizenship": "MD"}]},
            "companies.personFounders.citizenship",
        ),
        ({"companyAdministrators": [{"fullName": "X", "since": 1}]}, "companies.companyAdministrators.since"),
        ({"address": {"fullName": "str. Pilda", "floor": 2}}, "companies.address.floor"),
        ({"cuatm": {"name": "SEC.CENTRU", "parent": 1}}, "companies.cuatm.parent"),
        ({"licensedActivities": [{"name": "X", "until": "2030"}]}, "companies.licensedActivities.until"),
    ],
)
def test_an_unknown_key_is_reported(answer: dict[str, Any], key: str) -> None:
    assert read(**answer).unknown == (key,)


def test_each_unknown_key_is_reported_once_with_its_path() -> None:
    founders = [{"fullName": "A", "x": 1}, {"fullName": "B", "x": 2}]
    body = {"idno": IDNO, "fullName": "PLOPENA AGRO", "personFounders": founders, "zzz": 1}

    unknown = transform(idno=IDNO, html=page(PageCompany()), bodies=[json.dumps(body).encode()]).unknown

    assert unknown == ("json: companies.personFounders.x", "json: companies.zzz")


@pytest.mark.parametrize("absent", [None, "", "NULL", "undefined", []])
@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("type", "legal_form"),
        ("type", "legal_form_name"),
        ("isActive", "status"),
        ("registeredAt", "registered_on"),
        ("address", "address"),
        ("address", "address_parts"),
        ("cuatm", "cuatm"),
        ("licensedActivities", "licensed_activities"),
        ("unlicensedActivities", "unlicensed_activities"),
    ],
)
def test_an_absent_value_is_stated_by_its_key(key: str, field: str, absent: Any) -> None:
    assert field in read(**{key: absent}).stated
    assert field not in read().stated


def test_absence_of_founders_is_stated_only_by_both_lists() -> None:
    assert "founders" in read(personFounders=[], companyFounders=[]).stated
    assert "founders" not in read(personFounders=[]).stated


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("isActive", "da", "status"),
        ("registeredAt", "cândva", "registered_on"),
        ("cuatm", 7, "cuatm"),
        ("licensedActivities", "multe", "licensed_activities"),
        ("personFounders", "mulți", "founders"),
    ],
)
def test_value_that_is_not_understood_is_not_stated_and_is_named(key: str, value: Any, field: str) -> None:
    reading = read(**{key: value})

    assert field not in reading.stated
    assert not getattr(reading, field)
    assert field in {unread.field for unread in reading.unread} or any(
        note.startswith(field) for note in reading.notes
    )


def test_the_postal_code_is_read_from_the_full_address() -> None:
    reading = read(address={"fullName": "MD-2001, mun. Chișinău", "city": "Chișinău", "apartment": "NULL"})

    assert reading.address_parts is not None
    assert reading.address_parts.model_dump(exclude_none=True) == {
        "postal_code": "MD-2001",
        "city": "Chișinău",
    }


def test_codes_are_texts_even_if_the_source_sends_numbers() -> None:
    reading = read(
        cuatm={"statisticId": 130000, "name": "SEC.CENTRU", "type": "MUNICIPALITY_SECTOR"},
        licensedActivities=[{"name": "Activitatea farmaceutică", "id": 21}],
    )

    assert reading.cuatm is not None
    assert (reading.cuatm.code, reading.cuatm.kind) == ("130000", "MUNICIPALITY_SECTOR")
    assert [activity.code for activity in reading.licensed_activities] == ["21"]


@pytest.mark.parametrize(
    ("form", "name"),
    [("SRL", "Societate cu răspundere limitată"), ("ÎI", "Întreprindere individuală"), ("XYZ", None)],
)
def test_a_known_legal_form_has_its_name(form: str, name: str | None) -> None:
    assert read(type=form).legal_form_name == name


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_page_with_known_labels_reports_no_unknown_labels(layout: Layout, frame: Frame) -> None:
    assert read_html(page(PageCompany(), layout, frame), IDNO).unknown == ()


@pytest.mark.parametrize(
    "html",
    [
        page(PageCompany(), definitions).replace(
            "<dt>Adresa", "<dt>Telefon mobil</dt><dd>069</dd><dt>Adresa"
        ),
        f"<main><h1>X SRL</h1><table><tr><th>IDNO</th><td>{IDNO}</td></tr>"
        "<tr><th>Telefon mobil</th><td>069</td></tr><tr><th>Statut</th><td>Activă</td></tr></table></main>",
        f"<main><h1>X SRL</h1><p>IDNO: {IDNO}</p><p>Telefon mobil: 069</p><p>Statut: Activă</p></main>",
        f"<main><h1>X SRL</h1><p><b>IDNO:</b> {IDNO}</p><p><b>Telefon mobil:</b> 069</p></main>",
        f"<main><h1>X SRL</h1><div><div class='l'>IDNO</div><div class='v'>{IDNO}</div>"
        "<div class='l'>Telefon mobil</div><div class='v'>069</div>"
        "<div class='l'>Statut</div><div class='v'>Activă</div></div></main>",
    ],
)
def test_an_unknown_label_is_reported(html: str) -> None:
    transformed = transform(idno=IDNO, html=html, bodies=[])

    assert transformed.unknown == ("html: Telefon mobil",)


def test_unknown_labels_of_the_page_frame_are_not_reported() -> None:
    html = f"<main><h1>X SRL</h1><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl></main>"
    html += "<footer><dl><dt>Redacția</dt><dd>Ion</dd></dl></footer>"

    assert read_html(html, IDNO).unknown == ()
