"""Values in unusual places: below a line break, beside blank headers, in lists of other companies, in one line."""

from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading, Unread
from tests.pipeline.transform.html_pages import IDNO, OWNER_IDNO

TITLE = "<h2>Situații financiare, 2024</h2>"


def read(content: str) -> Reading:
    """Read a page with `content` after the heading and the IDNO."""
    return read_html(f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main></body>", IDNO)


def activities(content: str) -> list[str]:
    return [activity.name for activity in read(content).licensed_activities]


def founders(content: str) -> dict[str, str]:
    return {party.name: str(party.share) for party in read(content).founders}


def amounts(content: str) -> list[tuple[int, str, Decimal]]:
    return [
        (statement.year, name, amount)
        for statement in read(content).statements
        for name, amount in statement.figures().items()
    ]


def test_value_below_a_line_break_is_read() -> None:
    assert read("<div><b>Statut</b><br>Activă</div>").status == "active"


def test_date_after_its_label_without_a_colon_is_read() -> None:
    assert str(read("<p>Data înregistrării 09.07.2020</p>").registered_on) == "2020-07-09"


def test_unknown_legal_form_is_read_next_to_its_label() -> None:
    assert read("<p>Forma juridică: Filială</p>").legal_form == "Filială"


@pytest.mark.parametrize("text", ["Filiala 2", "Filiala: a doua", "F" * 121, "Lichidată", "Adresa"])
def test_text_that_cannot_be_a_legal_form_is_not_read_as_one(text: str) -> None:
    assert read(f"<dl><dt>Forma juridică</dt><dd>{text}</dd></dl>").legal_form is None


def test_italic_text_is_content_and_an_icon_name_is_not() -> None:
    assert read("<p>Adresa: MD-2001, <i>Chișinău</i></p>").address == "MD-2001, Chișinău"
    assert read("<p><i>location_on</i> Adresa: str. Pilda, 1</p>").address == "str. Pilda, 1"
    assert read("<p>Adresa: <i><b>Soroca</b></i></p>").address == "Soroca"


def test_line_with_a_colon_in_parentheses_continues_the_address() -> None:
    assert read("<p><b>Adresa:</b> MD-2001<br>str. Pilda (bloc: 2)</p>").address is None
    assert read("<p><b>Adresa:</b> MD-2001<br>Nr. blocului: 2</p>").address == "MD-2001"


def test_page_in_a_list_of_companies_does_not_show_their_idno() -> None:
    items = f"<li><p>ALTA</p><p>IDNO: {OWNER_IDNO}</p></li><li><p>ALFA FRUCT</p></li>"
    assert read_html(f"<main><h1>PLOPENA AGRO</h1><ul>{items}</ul></main>", IDNO).idno is None


def test_page_with_too_many_labels_shows_its_idno_as_a_text_too() -> None:
    labels = "<p>Statut: Activă</p>" * 1001
    reading = read_html(f"<main><h1>PLOPENA AGRO</h1><p>{IDNO}</p>{labels}</main>", IDNO)
    assert (reading.idno, reading.name, reading.status) == (IDNO, "PLOPENA AGRO", None)


def test_values_beside_blank_headers_belong_to_the_header_above() -> None:
    rows = "<tr><th>Fondatori</th><td>MODELEANU ION (40%)</td></tr><tr><th></th><td>EXEMPLESCU MARIA (60%)</td></tr>"
    assert founders(f"<table>{rows}</table>") == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}


def test_text_beside_a_link_with_a_block_belongs_to_its_party() -> None:
    cards = (
        "<a href='/persons/1'><div>MODELEANU ION</div></a> 40% "
        "<a href='/persons/2'><div>EXEMPLESCU MARIA</div></a> 60%"
    )
    assert founders(f"<h2>Fondatori</h2><div>{cards}</div>") == {
        "MODELEANU ION": "40",
        "EXEMPLESCU MARIA": "60",
    }


@pytest.mark.parametrize("label", ["<b>Activități licențiate:</b>", "Activități licențiate:"])
def test_each_line_after_a_label_is_an_activity(label: str) -> None:
    assert activities(f"<div>{label} Comerț, transport<br>Depozitare</div>") == [
        "Comerț, transport",
        "Depozitare",
    ]


def test_chips_inside_one_inline_element_are_activities() -> None:
    chips = "<span><b>Comerț</b><b>Transport</b></span>"
    assert activities(f"<dl><dt>Activități licențiate</dt><dd>{chips}</dd></dl>") == ["Comerț", "Transport"]


def test_list_beside_another_text_is_not_read_as_activities() -> None:
    assert (
        activities("<h2>Activități licențiate</h2><div><p>Anul trecut</p><ul><li>Comerț</li></ul></div>")
        == []
    )


def test_activity_of_600_characters_is_read_and_a_longer_text_is_not() -> None:
    longest = "Comerț " + "a" * 593
    assert activities(f"<p>Activități licențiate: {longest}</p>") == [longest]
    assert activities(f"<p>Activități licențiate: {longest}a</p>") == []


def test_word_that_only_resembles_thousands_leaves_the_figures_in_lei() -> None:
    content = f"<p>Adresa: str. Familiei, 1</p>{TITLE}<p>Total active: 5 000 MDL</p>"
    assert amounts(content) == [(2024, "total_assets", Decimal(5000))]


def test_different_amounts_of_one_figure_are_unread() -> None:
    reading = read(
        f"{TITLE}<p>Total active: 5 000 MDL</p><p>Profit net: 1 MDL</p><p>Total active: 6 000 MDL</p>"
    )
    assert reading.unread == tuple(
        Unread("statements", text, "total_assets: 2024: different amounts")
        for text in ("5 000 MDL", "6 000 MDL")
    )


def test_dash_between_a_label_and_its_amount_may_be_a_minus_sign() -> None:
    assert amounts(f"{TITLE}<p>Total active – 5 000 MDL</p><p>Profit net: 1 MDL</p>") == [
        (2024, "net_profit", Decimal(1))
    ]


def test_two_numbers_side_by_side_are_not_one_amount() -> None:
    numbers = "<div><span>5 000</span> <span>060</span></div>"
    assert amounts(f"{TITLE}<div><div>Total active, lei</div>{numbers}</div>") == []
    assert amounts(f"{TITLE}<div><div>Total active, lei</div><div><span>5 000 060</span></div></div>") == [
        (2024, "total_assets", Decimal(5000060))
    ]


def test_table_in_a_table_with_years_has_the_years_of_its_own() -> None:
    inner = "<table><tr><th>Indicator, lei</th><th>2024</th></tr><tr><td>Total active</td><td>5 000</td></tr></table>"
    outer = f"<table><tr><th>Pagina</th><th>2019</th></tr><tr><td>{inner}</td><td>1</td></tr></table>"
    assert amounts(f"<h2>Date financiare</h2>{outer}") == [(2024, "total_assets", Decimal(5000))]


def test_number_of_entries_beside_a_label_is_no_party() -> None:
    content = "<div><div><b>Fondatori</b><span>2</span></div><ul><li>MODELEANU ION (100%)</li></ul></div>"
    assert founders(content) == {"MODELEANU ION": "100"}


@pytest.mark.parametrize("colon", [":", "："])
def test_list_of_one_block_ends_before_a_text_with_a_colon(colon: str) -> None:
    content = f"<p>Fondatori</p><p>MODELEANU ION</p><p>Zona liberă{colon}</p>"
    assert list(founders(content)) == ["MODELEANU ION"]
