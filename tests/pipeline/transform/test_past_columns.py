"""Columns, rows, sections and tabs about the time before a change state no current fact."""

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading

IDNO = "1020999000019"
OLD, NEW = "mun. Bălți, str. Veche, 1", "mun. Bălți, str. Nouă, 2"
TABS = '<ul class="tabs"><li class="on">Date generale</li><li>Arhivă</li></ul>'


def read(body: str) -> Reading:
    return read_html(f"<body><main><h1>PLOPENA AGRO SRL</h1><p>IDNO: {IDNO}</p>{body}</main></body>", IDNO)


def table(*headers: str, rows: str) -> str:
    return f"<table><tr>{''.join(f'<th>{header}</th>' for header in headers)}</tr>{rows}</table>"


@pytest.mark.parametrize(
    "headers",
    [
        ("Câmp", "Înainte", "Acum"),
        ("", "Было", "Стало"),
        ("Field", "Before", "Now"),
        ("Câmp", "De la", "Până la"),
    ],
)
def test_the_column_before_a_change_states_nothing(headers: tuple[str, ...]) -> None:
    rows = (
        f"<tr><td>Adresa</td><td>{OLD}</td><td>{NEW}</td></tr>"
        "<tr><td>Administrator</td><td>VECHE-TEST ION</td><td>NOUA-TEST ANA</td></tr>"
    )
    reading = read(table(*headers, rows=rows))
    assert reading.address == NEW
    assert [party.name for party in reading.administrators] == ["NOUA-TEST ANA"]


def test_the_order_of_the_columns_does_not_matter() -> None:
    row = f"<tr><td>Address</td><td>{NEW}</td><td>{OLD}</td></tr>"
    assert read(table("Field", "Now", "Before", rows=row)).address == NEW


def test_a_grid_of_plain_blocks_has_columns_too() -> None:
    cells = ("Câmp", "Înainte", "Acum", "Adresa", OLD, NEW)
    assert read(f"<div>{''.join(f'<div>{cell}</div>' for cell in cells)}</div>").address == NEW


def test_of_two_sections_only_the_one_after_the_change_counts() -> None:
    old, new = (f"<dl><dt>Adresa</dt><dd>{address}</dd></dl>" for address in (OLD, NEW))
    sections = f"<div><h3>Înainte</h3>{old}</div><div><h3>Acum</h3>{new}</div>"
    assert read(f"<div>{sections}</div>").address == NEW


def test_a_row_that_has_ended_states_nothing() -> None:
    rows = (
        f"<tr><td>Adresa</td><td>{OLD}</td><td>01.02.2010</td><td>03.04.2019</td></tr>"
        f"<tr><td>Adresa</td><td>{NEW}</td><td>03.04.2019</td><td>prezent</td></tr>"
    )
    assert read(table("Câmp", "Valoare", "De la", "Până la", rows=rows)).address == NEW


def test_the_words_of_a_pager_head_nothing() -> None:
    pager = "<div><span>Înapoi</span><span>Înainte</span></div>"
    assert read(f"{pager}<dl><dt>Adresa</dt><dd>{NEW}</dd></dl>").address == NEW


def test_the_tab_of_an_archive_governs_only_its_panel() -> None:
    panel = "<div><dl><dt>Statut</dt><dd>Activă</dd></dl></div>"
    archive = f"<div><dl><dt>Statut</dt><dd>Suspendată</dd><dt>Adresa</dt><dd>{OLD}</dd></dl></div>"
    for panels in (panel, panel + archive):
        reading = read(TABS + panels)
        assert (reading.status, reading.address) == ("active", None)


def test_a_panel_that_a_tab_of_the_past_opens_states_nothing() -> None:
    tab = '<button role="tab" aria-controls="b">Istoric</button>'
    panel = f'<div role="tabpanel" id="b" hidden><dl><dt>Adresa</dt><dd>{OLD}</dd></dl></div>'
    assert read(tab + panel).address is None


def test_the_panel_of_an_active_archive_states_nothing() -> None:
    tabs = '<ul class="tabs"><li>Date generale</li><li class="active">Arhivă</li></ul>'
    assert read(f"{tabs}<div><dl><dt>Adresa</dt><dd>{OLD}</dd></dl></div>").address is None


def test_short_paragraphs_of_a_section_about_the_past_are_no_tabs() -> None:
    history = "<section><p>Istoric</p><p>Administrator</p><p>VECHE-TEST ION</p></section>"
    assert read(f"{history}<section><p>Statut: Activă</p></section>").administrators == ()
