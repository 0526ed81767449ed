"""Tests of strict reading: a text in the place of a field's value is a value as a whole, or it is named as unread."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_company
from pipeline.transform.merge import Transformed, transform
from pipeline.transform.reading import Reading
from pipeline.transform.source_text import words
from tests.pipeline.transform.html_pages import IDNO
from warehouse.records.models import CompanyStatus

_FETCHED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def shown(content: str) -> str:
    return f"<main><h1>PLOPENA AGRO</h1><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>{content}</main>"


def read(content: str) -> Reading:
    return read_html(shown(content), IDNO, fetched_at=_FETCHED_AT)


def labelled(label: str, text: str) -> Reading:
    return read(f"<dl><dt>{label}</dt><dd>{text}</dd></dl>")


def payload(**fields: Any) -> Reading:
    reading = read_company(
        [{"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}], IDNO, fetched_at=_FETCHED_AT
    )
    assert reading is not None
    return reading


def both(content: str, **fields: Any) -> Transformed:
    body = json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}).encode()
    return transform(idno=IDNO, html=shown(content), bodies=[body], fetched_at=_FETCHED_AT)


def unread_of(reading: Reading | Transformed) -> dict[str, str]:
    return {unread.field: unread.text for unread in reading.unread}


def test_instant_in_the_json_agrees_with_the_day_on_the_page() -> None:
    page = "<dl><dt>Data înregistrării</dt><dd>09.07.2003</dd></dl>"

    transformed = both(page, registeredAt="2003-07-08T21:00:00.000Z")

    assert transformed.facts.registered_on == date(2003, 7, 9)
    assert transformed.disagreements == {}


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Activă (radiată la 01.02.2024)", "radiată la 01.02.2024"),
        ("Activă (în lichidare)", "în lichidare"),
        ("Activă <small>(în lichidare)</small>", "în lichidare"),
        ("Действующая, в процессе ликвидации", "в процессе ликвидации"),
    ],
)
def test_active_company_with_a_contradicting_remark_is_not_active(text: str, remark: str) -> None:
    reading = labelled("Statut", text)

    assert reading.status is None
    assert reading.remarks == {"status": (remark,)}
    assert "status" in unread_of(reading)


@pytest.mark.parametrize(
    "text", words("Radiată din 02.02.2020 | Исключена из реестра 02.02.2020 | Struck off on 2 February 2020")
)
def test_company_struck_off_is_inactive_with_the_date_kept(text: str) -> None:
    reading = labelled("Stare", text)

    assert reading.status is CompanyStatus.INACTIVE
    assert reading.remarks == {"status": (text,)}


def test_badge_beside_the_name_refutes_an_active_status() -> None:
    reading = read_html(
        f"<main><h1>PLOPENA AGRO</h1><p>În lichidare</p><dl><dt>IDNO</dt><dd>{IDNO}</dd>"
        "<dt>Statut</dt><dd>Activă</dd></dl></main>",
        IDNO,
    )

    assert reading.status is None
    assert unread_of(reading) == {"status": "În lichidare"}


@pytest.mark.parametrize(
    "text",
    [
        "Conectați-vă pentru a vedea adresa",
        "Se încarcă adresa…",
        "{{ company.address }}",
        "Lorem ipsum dolor sit amet",
        "0",
        ",",
        "undefined, undefined",
        "MD-5601, or. Rîșcani, str. Alexei Mate…",
        "<a href='/login'>Войдите</a>, чтобы увидеть адрес",
        "<button>Copiază</button>Hidden for privacy",
    ],
)
def test_text_that_is_no_address_is_named_as_unread(text: str) -> None:
    reading = labelled("Adresa", text)

    assert reading.address is None
    assert "address" in unread_of(reading)


@pytest.mark.parametrize("text", words("— | N/A | Nu este indicată | Адрес не указан | Not available | ..."))
def test_text_that_says_there_is_no_address_is_not_unread(text: str) -> None:
    reading = labelled("Adresa", text)

    assert (reading.address, reading.unread) == (None, ())


@pytest.mark.parametrize(
    "text",
    words("05.11.2108 | 20.08.1111 | 31.06.2013 | martie 2014 | 41711 | 09.02.2011 / 17.10.2016 | cândva"),
)
def test_implausible_or_incomplete_date_is_named_as_unread(text: str) -> None:
    reading = labelled("Data înregistrării", text)

    assert reading.registered_on is None
    assert unread_of(reading) == {"registered_on": text}


@pytest.mark.parametrize(
    "text", words("Activă | Întreprindere mică | SRL / SA | Conectați-vă | 5 | SRL (în lichidare)")
)
def test_text_that_is_no_legal_form_is_named_as_unread(text: str) -> None:
    reading = labelled("Forma juridică", text)

    assert reading.legal_form is None
    assert unread_of(reading) == {"legal_form": text}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SRL (530)", "SRL"),
        ("530 – Societate cu răspundere limitată", "SRL"),
        ("SRL, cu capital străin", "SRL"),
        ("Cooperativă agricolă", "Cooperativă agricolă"),
        ("Общественная организация", "Общественная организация"),
        ("Representative office", "Representative office"),
    ],
)
def test_legal_form_is_read_with_its_number_or_without_a_code(text: str, form: str) -> None:
    assert labelled("Forma juridică", text).legal_form == form


@pytest.mark.parametrize("text", words("Conectați-vă | {{ cuatm }} | Nu se încarcă! | 0"))
def test_text_that_is_no_unit_is_named_as_unread(text: str) -> None:
    reading = labelled("CUATM", text)

    assert reading.cuatm is None
    assert unread_of(reading) == {"cuatm": text}


@pytest.mark.parametrize(
    ("fields", "field", "text", "key"),
    [
        ({"registeredAt": "1111-08-20"}, "registered_on", "1111-08-20", "registeredAt"),
        ({"registeredAt": "2999-01-01"}, "registered_on", "2999-01-01", "registeredAt"),
        ({"registeredAt": 37811}, "registered_on", "37811", "registeredAt"),
        ({"registeredAt": "2015-03-12T22:30:00"}, "registered_on", "2015-03-12T22:30:00", "registeredAt"),
        ({"address": {"fullName": "0"}}, "address", "0", "fullName"),
        ({"address": "[object Object]"}, "address", "[object Object]", "address"),
        ({"address": {"street": "{{ street }}"}}, "address_parts", "{{ street }}", "street"),
        ({"isActive": "da"}, "status", "da", "isActive"),
        ({"type": "Activă"}, "legal_form", "Activă", "type"),
        ({"cuatm": 7}, "cuatm", "7", "cuatm"),
    ],
)
def test_json_value_that_is_not_understood_is_named_with_its_key(
    fields: dict[str, Any], field: str, text: str, key: str
) -> None:
    reading = payload(**fields)

    assert getattr(reading, field) is None
    [unread] = [unread for unread in reading.unread if unread.field == field]
    assert unread.text == text
    assert unread.reason.startswith(f"{key}: ")


def test_value_of_the_page_is_used_if_that_of_the_json_is_unread() -> None:
    transformed = both("<dl><dt>Adresa</dt><dd>str. Pilda, 1</dd></dl>", address={"fullName": "0"})

    assert transformed.facts.address == "str. Pilda, 1"
    assert unread_of(transformed) == {"address": "0"}


def test_two_spellings_of_an_address_are_one_value() -> None:
    reading = read(
        "<dl><dt>Adresa</dt><dd>mun. Chișinău, str. Pilda, 1</dd>"
        "<dt>Sediul</dt><dd>mun. Chişinău, str. Pilda 1</dd></dl>"
    )

    assert reading.address == "mun. Chișinău, str. Pilda, 1"
