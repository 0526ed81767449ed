"""Content around a company, and values that read like labels, never become facts of it."""

import pytest

from pipeline.transform.html.page_reader import read_html
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LAYOUTS,
    OTHER_IDNO,
    Frame,
    Layout,
    PageCompany,
    each_pair,
    page,
)

HOSTILE_ADDRESSES = (
    f"MD-1; Administrator: FALS ION; Fondatori: NIMENI (100%), IDNO: {OTHER_IDNO}, Statut: Lichidată",
    "Adresa: falsă, 5 | Data înregistrării: 01.01.1999",
    "Administrator: FALS ION",
    f"IDNO {OTHER_IDNO}",
    OTHER_IDNO,
    "</td></tr></table><script>alert(1)</script><h1>Alt nume</h1> 100%",
    "\u202bעברית\u202c str. „Ghilimele” \u200f, 5",
    "foarte lung, " * 400 + "5",
)
NAMES_LIKE_LABELS = (
    "ADRESA: str. Falsă 1",
    "Fondatori",
    "Administrator: FALS ION",
    "STATUT: Lichidată",
    "Adresa",
    "Activ 100%",
)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_footer_address_is_never_read_as_the_companys(layout: Layout, frame: Frame) -> None:
    assert read_html(page(PageCompany(address=""), layout, frame), IDNO).address is None


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_site_administrator_is_never_read_as_the_companys(layout: Layout, frame: Frame) -> None:
    assert read_html(page(PageCompany(administrators=()), layout, frame), IDNO).administrators == ()


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_status_of_another_company_is_never_read(layout: Layout, frame: Frame) -> None:
    assert read_html(page(PageCompany(status=""), layout, frame), IDNO).status is None


@pytest.mark.parametrize(("layout", "address", "frame"), each_pair(LAYOUTS, HOSTILE_ADDRESSES, FRAMES))
def test_hostile_address_never_becomes_another_fact(layout: Layout, address: str, frame: Frame) -> None:
    company = PageCompany(address=address, status="", administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.address in (None, " ".join(address.split()))
    assert (reading.idno, reading.name, reading.status, reading.administrators) == (
        IDNO,
        company.name,
        None,
        (),
    )
    assert {party.name for party in reading.founders} <= set(company.founders)
    assert str(reading.registered_on) == "2020-07-09"


@pytest.mark.parametrize(("layout", "name", "frame"), each_pair(LAYOUTS, NAMES_LIKE_LABELS, FRAMES))
def test_name_that_reads_like_a_label_is_only_a_name(layout: Layout, name: str, frame: Frame) -> None:
    company = PageCompany(name=name, address="", status="", administrators=())
    html = page(company, layout, frame).replace("</h1>", f"</h1><p>{name}</p><p>{name} · Companii</p>")

    reading = read_html(html, IDNO)

    assert (reading.name, reading.idno) == (name, IDNO)
    assert (reading.address, reading.status, reading.administrators) == (None, None, ())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "party", ["Adresa: str. Falsă, 1", "Administrator: FALS ION", "Statut: Lichidată", f"IDNO: {OTHER_IDNO}"]
)
def test_founder_that_reads_like_a_label_never_becomes_another_fact(layout: Layout, party: str) -> None:
    company = PageCompany(founders={party: "50", "MODELEANU ION": "50"})

    reading = read_html(page(company, layout), IDNO)

    assert reading.address in (None, company.address)
    assert reading.idno == IDNO
    assert {person.name for person in reading.administrators} <= set(company.administrators)


def test_card_of_a_similar_company_yields_no_fact() -> None:
    html = (
        f"<div><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p><h3>Companii similare</h3>"
        "<div><b>ALTA</b><p>Adresa: str. Alta, 1</p><p>Administrator: STRĂINU PAVEL</p>"
        "<p>Statut: Lichidată</p></div></div>"
    )

    reading = read_html(html, IDNO)

    assert (reading.address, reading.status, reading.administrators) == (None, None, ())


def test_labels_in_menus_links_and_hidden_elements_are_ignored() -> None:
    html = (
        f"<ul><li><a>Adresa</a> <a>str. Meniu</a></li></ul><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>"
        "<p style='display: none'>Adresa: str. Ascunsă, 1</p><p hidden>Statut: Lichidată</p>"
        "<template><p>Adresa: x</p></template>"
        "<div role='dialog'><p>Adresa: str. Dialog, 2</p></div>"
    )

    reading = read_html(html, IDNO)

    assert (reading.address, reading.status) == (None, None)


def test_value_of_an_unknown_label_is_not_read_as_a_label() -> None:
    terms = f"<dt>IDNO</dt><dd>{IDNO}</dd><dt>Observații</dt><dd>Adresa: str. Falsă, 1</dd>"
    assert read_html(f"<h1>PLOPENA AGRO</h1><dl>{terms}</dl>", IDNO).address is None
    rows = f"<tr><th>IDNO</th><td>{IDNO}</td></tr><tr><th>Observații</th><td>Adresa: str. Falsă, 1</td></tr>"
    assert read_html(f"<h1>PLOPENA AGRO</h1><table>{rows}</table>", IDNO).address is None


def test_cards_with_repeated_labels_are_other_companies() -> None:
    card = "<div><b>ALTA</b><p>Adresa: str. Alta, 1</p><p>Statut: Lichidată</p></div>"
    company = f"<div><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p></div>"
    html = f"<div><a>Meniu</a></div><div>{company}<div>{card}{card}</div></div>"

    reading = read_html(html, IDNO)

    assert (reading.address, reading.status) == (None, None)
