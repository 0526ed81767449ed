"""Rules that read structure alone, each with a fragment that shows the rule and one that shows its limit."""

from decimal import Decimal

import pytest

from pipeline.transform.amounts import parse_amount
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading
from pipeline.transform.source_text import parse_date
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of
from pipeline.transform.vocabulary.terms import legal_form_of
from tests.pipeline.transform.html_pages import IDNO


def read(content: str) -> Reading:
    """Read a page with `content` after the heading and the IDNO."""
    return read_html(f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main></body>", IDNO)


def founders(content: str) -> list[str]:
    return [party.name for party in read(content).founders]


def row(*cells: str, role: str = "cell") -> str:
    return f"<div role=row>{''.join(f'<div role={role}>{cell}</div>' for cell in cells)}</div>"


def test_cells_and_rows_are_recognized_by_their_roles() -> None:
    assert read(f"<div role=table>{row('Statut', 'Activă')}{row('Zona', 'Nord')}</div>").status == "active"
    table = row("Statut", "Zona", role="columnheader") + row("Activă", "Nord")
    assert read(f"<div role=table>{table}</div>").status == "active"


def test_row_of_labels_in_plain_cells_is_above_its_values() -> None:
    rows = "<tr><td>Statut</td><td>Adresa</td></tr><tr><td>Activă</td><td>str. Pilda, 1</td></tr>"
    assert read(f"<table>{rows}</table>").status == "active"


def test_value_of_an_unknown_header_is_not_searched_for_labels() -> None:
    assert read("<table><tr><th>Observații</th><td>Adresa: str. Falsă, 1</td></tr></table>").address is None
    assert read("<div><div>Observații</div><div>Statut: Activă</div></div>").status is None
    assert read("<div><h3>Generalități</h3><div>Statut: Activă</div></div>").status == "active"


def test_link_that_opens_a_panel_is_a_label() -> None:
    panel = "<div id=p><ul><li>MODELEANU ION</li></ul></div>"
    assert founders(f"<div><a href='#' aria-controls=p>Fondatori</a></div>{panel}") == ["MODELEANU ION"]
    assert founders(f"<div><a href='#'>Fondatori</a></div>{panel}") == []


def test_hidden_panel_is_read_only_if_an_element_opens_it() -> None:
    panel = "<div id=p hidden><ul><li>MODELEANU ION</li></ul></div>"
    assert founders(f"<div><h3 aria-controls=p>Fondatori</h3></div>{panel}") == ["MODELEANU ION"]
    assert founders(f"<div><h3>Fondatori</h3></div>{panel}") == []


def test_inline_elements_do_not_divide_a_word() -> None:
    assert read_html(f"<h1>PLO<b>PENA</b> AGRO</h1><p>IDNO: {IDNO}</p>", IDNO).name == "PLOPENA AGRO"


def test_element_of_another_tag_without_classes_does_not_continue_a_list() -> None:
    assert founders("<h2>Fondatori</h2><div>MODELEANU ION</div><p>Soroca Nord</p>") == ["MODELEANU ION"]


def test_links_to_another_kind_of_page_make_a_list_uncertain() -> None:
    person = "<a href='/persons/1'>MODELEANU ION</a>"
    assert (
        founders(f"<h2>Fondatori</h2><ul><li>{person}</li><li><a href='/graph/1'>PILDA ANA</a></li></ul>")
        == []
    )
    assert founders(
        f"<h2>Fondatori</h2><ul><li>{person}</li><li><a href='/persons/2'>PILDA ANA</a></li></ul>"
    ) == [
        "MODELEANU ION",
        "PILDA ANA",
    ]


def test_separator_between_links_in_one_line_divides_parties() -> None:
    links = "<a href='/persons/1'>MODELEANU ION</a>; <a href='/persons/2'>PILDA ANA</a>"
    assert founders(f"<dl><dt>Fondatori</dt><dd>{links}</dd></dl>") == ["MODELEANU ION", "PILDA ANA"]


def test_only_text_of_a_value_is_divided_whatever_is_around_it() -> None:
    text = "<div><p>MODELEANU ION; PILDA ANA</p></div>"
    assert founders(f"<dl><dt>Fondatori</dt><dd>{text}</dd></dl>") == ["MODELEANU ION", "PILDA ANA"]


def test_rows_of_a_table_without_headers_are_parties() -> None:
    table = "<table><tr><td>MODELEANU ION</td></tr><tr><td>PILDA ANA</td></tr></table>"
    assert founders(f"<h2>Fondatori</h2><div>{table}</div>") == ["MODELEANU ION", "PILDA ANA"]


def test_row_with_only_a_year_is_the_title_of_the_rows_below() -> None:
    rows = "<tr><td colspan=2>Bilanț 2024</td></tr><tr><td>Total active</td><td>5 000 MDL</td></tr>"
    [statement] = read(f"<h2>Date financiare</h2><table>{rows}</table>").statements
    assert (statement.year, statement.figures()) == (2024, {"total_assets": Decimal(5000)})


@pytest.mark.parametrize(
    ("before", "address"),
    [
        ("<p><a href='/companii'>Companii</a> / </p>", "str. Pilda, 1"),
        ("<p>Acasă / Companii / PLOPENA AGRO</p>", "str. Pilda, 1"),
        (f"<p>{IDNO}</p>", "str. Pilda, 1"),
        ("<p>Portal de date deschise</p>", None),
    ],
)
def test_section_counts_if_only_links_and_the_breadcrumb_precede_the_heading(
    before: str, address: str | None
) -> None:
    company = f"{before}<h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>"
    section = "<section><h3>Adresa</h3><p>str. Pilda, 1</p></section>"
    assert read_html(f"<div>openmoney</div><div>{company}{section}</div>", IDNO).address == address


def test_page_shows_the_company_in_the_heading_of_its_content_even_inside_a_header() -> None:
    company = f"<h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>"
    site = "<header><h1><a href='/'>openmoney</a></h1></header>"
    for html in (
        f"{site}<main>{company}</main>",
        f"{site}<div>{company}</div>",
        f"<header>{company}</header>",
    ):
        reading = read_html(f"<body>{html}</body>", IDNO)
        assert (reading.idno, reading.name) == (IDNO, "PLOPENA AGRO")


def test_value_of_an_unknown_header_in_a_long_row_is_no_second_status() -> None:
    cells = "<th>Statut</th><td>Activă</td><th>Observații</th><td>Statut: Lichidată</td>"
    assert read(f"<table><tr>{cells}</tr></table>").status == "active"


def test_section_without_content_does_not_take_the_list_of_the_next_one() -> None:
    empty = "<div class=box><div class=t>Fondatori</div></div>"
    following = "<div class=box><div class=t>Legături</div><p>MODELEANU ION</p></div>"
    assert founders(empty + following) == []


def test_link_of_a_list_that_reads_like_a_label_is_neither_a_party_nor_an_address() -> None:
    reading = read("<h2>Fondatori</h2><a href='/persons/1'>Adresa: Fals Ion</a>")

    assert (reading.founders, reading.address) == ((), None)
    assert [unread.field for unread in reading.unread] == ["founders"]


def test_elements_of_one_word_each_are_one_name() -> None:
    assert founders("<h2>Fondatori</h2><div><span>MODELEANU</span> <span>ION</span></div>") == [
        "MODELEANU ION"
    ]


@pytest.mark.parametrize(
    ("label", "day"),
    [("Data înregistrării", "2020-04-03"), ("Дата регистрации", "2020-04-03"), ("Registered on", None)],
)
def test_day_comes_first_except_on_english_pages_where_it_is_uncertain(label: str, day: str | None) -> None:
    registered_on = read(f"<dl><dt>{label}</dt><dd>03/04/2020</dd></dl>").registered_on
    assert (str(registered_on) if registered_on else None) == day


@pytest.mark.parametrize(
    "text", ["Total active: 5 000 lei", "Total active (lei): 5 000", "Total active: 5 000"]
)
def test_amount_in_the_text_of_its_label_needs_a_unit_in_this_text(text: str) -> None:
    statements = read(f"<h2>Situații financiare, 2024</h2><p>{text}</p>").statements
    assert [statement.year for statement in statements] == ([2024] if "lei" in text else [])


def test_longer_texts_than_any_real_one_are_not_read() -> None:
    assert parse_amount("1" * 15) == Decimal("1" * 15)
    assert parse_amount(" " * 39 + "1") == 1
    assert parse_amount(" " * 40 + "1") is None
    name = "Societate cu răspundere limitată"
    assert legal_form_of(name + " " * (120 - len(name))) == "SRL"
    assert legal_form_of(name + " " * (121 - len(name))) is None


def test_two_halves_of_a_legal_form_must_mean_the_same() -> None:
    assert legal_form_of("SRL — Societate cu răspundere limitată") == "SRL"
    assert legal_form_of("SRL / SA") is None


def test_note_in_parentheses_after_a_date_is_ignored() -> None:
    assert str(parse_date("12.03.2004 (22 ani)")) == "2004-03-12"


@pytest.mark.parametrize(
    "label", ["Lista fondatorilor", "Список учредителей", "List of founders", "List of shareholders"]
)
def test_label_may_begin_with_the_word_list(label: str) -> None:
    assert field_of(label) is Field.FOUNDERS
