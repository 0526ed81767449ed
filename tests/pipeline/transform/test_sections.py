"""Facts and lists in sections, panels and chips, and sections that are empty."""

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO, OWNER_IDNO


def read(content: str) -> Reading:
    """Read a page with `content` after the heading and the IDNO."""
    return read_html(f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main></body>", IDNO)


def names(content: str) -> list[str]:
    return [party.name for party in read(content).founders]


@pytest.mark.parametrize(
    "mark",
    [
        "<span>:</span>",
        "<span title='Conform registrului'>?</span>",
        "<sup>[?]</sup>",
        "<span role='tooltip'>Conform registrului</span>",
        "<button><i></i></button>",
    ],
)
def test_marks_next_to_a_label_are_not_its_value(mark: str) -> None:
    rows = f"<div><span><b>Statut</b>{mark}</span><span>Activă</span></div>"
    assert read(rows).status == "active"


def test_emoji_before_a_label_is_ignored() -> None:
    assert read("<dl><dt>📍 Adresa</dt><dd>str. Pilda, 1</dd></dl>").address == "str. Pilda, 1"


def test_cell_value_that_reads_like_a_label_is_named_as_unread() -> None:
    reading = read("<table><tr><th>Adresa</th><td>Statut</td></tr></table>")
    assert reading.address is None
    assert [(unread.field, unread.text) for unread in reading.unread] == [("address", "Statut")]


def test_map_link_alone_is_not_an_address() -> None:
    assert read("<p><b>Adresa:</b> <a>Arată pe hartă</a></p>").address is None


def test_panel_below_its_expander_is_read() -> None:
    head = "<div aria-expanded='true'><span>Fondatori</span><span class='arrow'></span></div>"
    assert names(f"{head}<div><ul><li>MODELEANU ION</li></ul></div>") == ["MODELEANU ION"]


def test_lists_of_persons_and_companies_are_combined() -> None:
    persons = "<section><h2>Fondatori – persoane fizice (1)</h2><ul><li>MODELEANU ION</li></ul></section>"
    companies = "<section><h2>Fondatori persoane juridice</h2><ul><li>PILDA SRL</li></ul></section>"
    assert names(persons + companies) == ["MODELEANU ION", "PILDA SRL"]


def test_neither_of_two_lists_is_read_if_one_is_unreadable() -> None:
    persons = "<section><h2>Fondatori – persoane fizice (1)</h2><div><div>STATUT</div></div></section>"
    companies = "<section><h2>Fondatori persoane juridice</h2><ul><li>PILDA SRL</li></ul></section>"
    assert names(companies + persons) == []


def test_list_with_an_unreadable_entry_is_not_read() -> None:
    assert names(f"<h2>Fondatori</h2><ul><li>MODELEANU ION</li><li>IDNO {OWNER_IDNO}</li></ul>") == []


def test_total_row_is_not_a_party() -> None:
    head = "<tr><th>Nume</th><th>Cota</th></tr>"
    rows = "<tr><td>MODELEANU ION</td><td>cota 100%</td></tr><tr><td>Total</td><td>100%</td></tr>"
    founders = read(f"<h2>Fondatori</h2><table>{head}{rows}</table>").founders
    assert [(party.name, str(party.share)) for party in founders] == [("MODELEANU ION", "100")]


def test_each_of_several_similar_chips_is_a_party() -> None:
    chips = "".join(
        f"<span class='chip'><span>{name}</span></span>" for name in ("MODELEANU ION", "PILDA ANA")
    )
    assert names(f"<h2>Fondatori</h2><div>{chips}</div>") == ["MODELEANU ION", "PILDA ANA"]


def test_names_separated_by_line_breaks_are_all_read() -> None:
    lines = "<a>MODELEANU ION</a><br><a>PILDA ANA</a><br><span>PROBARU VASILE</span>"
    assert names(f"<h2>Fondatori</h2>{lines}") == ["MODELEANU ION", "PILDA ANA", "PROBARU VASILE"]


@pytest.mark.parametrize(
    "content",
    [
        "<dl><dt>Fondatori</dt><dd><a href='/persons/1'>MODELEANU ION</a> <a href='/graph/1'>Связи</a></dd></dl>",
        "<h2>Fondatori</h2><span>MODELEANU ION</span><span>PILDA ANA</span><a>Contacte</a>",
        "<h2>Fondatori</h2><ul><li>Telefon</li><li>Pagina web</li></ul>",
        "<p>Fondatori</p><p>MODELEANU ION</p><p>PILDA ANA</p>",
        "<b>Fondatori</b> <span>MODELEANU ION</span> <span>50%</span> <span>PILDA ANA</span> <span>50%</span>",
    ],
)
def test_content_with_uncertain_list_boundaries_is_not_read(content: str) -> None:
    assert names(content) == []


@pytest.mark.parametrize("blank", ["", "—", "-"])
def test_empty_section_takes_nothing_from_the_next_one(blank: str) -> None:
    following = "<div class='box'><h3>Contacte</h3><p>Ion</p></div><div><h3>Noutăți</h3><a>Știre</a></div>"
    assert names(f"<div class='box'><h3>Fondatori</h3>{blank}</div>{following}") == []
    assert names(f"<div class='box'><h3>Fondatori</h3>{blank}</div><div><h3>Noutăți</h3>Azi</div>") == []


def test_list_item_that_ends_with_a_role_is_not_a_header_row() -> None:
    item = "<li>{} <span>Administrator</span></li>"
    items = item.format("MODELEANU ION") + item.format("PILDA ANA")
    reading = read(f"<h2>Administratori</h2><ul>{items}</ul>")
    assert [party.name for party in reading.administrators] == ["MODELEANU ION", "PILDA ANA"]


def test_section_before_the_statements_belongs_to_the_company() -> None:
    people = "<div class='block'><div>Administratori</div><a>MODELEANU ION</a></div>"
    statements = "<div class='block'><div>Date financiare</div><table><tr><td>2025</td></tr></table></div>"
    company = f"<h1>PLOPENA AGRO</h1><table><tr><th>IDNO</th><td>{IDNO}</td></tr></table>"
    html = f"<div>Acasă</div><div>Meniu{company}{people}{statements}</div>"
    assert [party.name for party in read_html(html, IDNO).administrators] == ["MODELEANU ION"]


def test_breadcrumb_does_not_turn_its_block_into_a_frame() -> None:
    path = "<div>Acasă / Companii / PLOPENA AGRO</div>"
    facts = f"<ul><li><span>IDNO</span><span>{IDNO}</span></li></ul>"
    people = "<div class='card'><div>Administratori</div><a>MODELEANU ION</a></div>"
    html = f"<div>openmoney</div><div>{path}<h1>PLOPENA AGRO</h1>{facts}{people}</div>"
    assert [party.name for party in read_html(html, IDNO).administrators] == ["MODELEANU ION"]


def test_page_with_too_many_labels_yields_a_note_instead_of_facts() -> None:
    labels = "".join(f"<p>Adresa: str. Nimic {number}</p>" for number in range(3000))
    html = f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{labels}</main></body>"
    reading = read_html(html, IDNO)
    assert (reading.idno, reading.name, reading.address) == (IDNO, "PLOPENA AGRO", None)
    assert reading.notes == ("the page shows 3001 labels, 1000 at most are looked at",)
