"""Search for the columns, rows and sections of a page that state what was true before a change.

They are marked as struck out, before the page is read: nothing in them is a current fact.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from pipeline.transform.date_text import parse_date
from pipeline.transform.html.look import MARKS, Mark
from pipeline.transform.html.visibility import marks_of
from pipeline.transform.source_text import collapse, fold
from pipeline.transform.vocabulary.change_words import (
    BEFORE_WORDS,
    FROM_WORDS,
    NOW_WORDS,
    STILL_WORDS,
    UNTIL_WORDS,
)
from pipeline.transform.vocabulary.field import PARTY_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of
from pipeline.transform.vocabulary.table_columns import Column, column_of

_LONGEST = 40
_LEVELS = 5
"""How far the words "before" and "after" may be from the element that contains both."""
_MOST_WORDS = 200
_MOST_CELLS = 60
_MOST_TABS = 500
_TAB_TAGS = ("a", "button")
_ROW_NAMES = frozenset(
    {"camp", "campul", "rubrica", "indicator", "date", "informatia", "поле", "реквизит", "field"}
)
_EDGES = " :.()[]→←–—-*"


def mark_past_columns(soup: BeautifulSoup) -> None:
    """Mark what the page states as true before a change, and the header of what is true after it.

        <tr><th>Câmp</th><th>Înainte</th><th>Acum</th></tr>
        <tr><td>Adresa</td><td>str. Veche, 1</td><td>str. Nouă, 2</td></tr>

    → the second cell of both rows is marked. In a table with columns for the first and the last day of a row, the rows
    that have ended are marked.
    """
    found: list[tuple[Tag, str]] = []
    tabs: list[Tag] = []
    for node in (soup.body or soup).descendants:
        if type(node) is NavigableString:
            if len(node) <= 2 * _LONGEST and (word := _change_word(str(node))) and node.parent is not None:
                found.append((node.parent, word))
        elif isinstance(node, Tag) and node.name in _TAB_TAGS:
            tabs.append(node)
    _mark_past_panels(soup, tabs[:_MOST_TABS])
    for tag, word in found[:_MOST_WORDS]:
        if word in BEFORE_WORDS and _mark_before(tag, word):
            continue
        if word in UNTIL_WORDS:
            _mark_ended(tag)


@lru_cache(maxsize=8192)
@lru_cache(maxsize=4096)
def _change_word(text: str) -> str:
    """Return the folded text if it is one of the words for "before" or "until", else ""."""
    word = _word(text)
    return word if word in BEFORE_WORDS or word in UNTIL_WORDS else ""


def _word(text: str) -> str:
    return fold(collapse(text)).strip(_EDGES) if len(text) <= _LONGEST * 2 else ""


def _text(tag: Tag) -> str:
    return _word(tag.get_text(" "))


def _first_text(tag: Tag) -> tuple[Tag, str]:
    """Return the first text in an element, with the element that directly contains it."""
    for text in tag.strings:
        if not text.isspace() and text.parent is not None:
            return text.parent, _word(str(text))
    return tag, ""


def _mark_before(tag: Tag, word: str) -> bool:
    """Mark the column, row or section that a word for "before" heads; return False if it heads none."""
    node = tag
    for _ in range(_LEVELS):
        parent = node.parent
        if parent is None or node.name in ("body", "a"):
            return False
        others = [other for other in _elements(parent) if other is not node]
        headed = [(other, *_first_text(other)) for other in others[:_MOST_CELLS]]
        is_header = _text(node) == word
        nows = [(other, header) for other, header, text in headed if text in NOW_WORDS]
        if nows:
            if not is_header:
                _strike(node)
                for other, header in nows:
                    if header is not other:
                        _strike(header)
            else:
                _strike_column(parent, node, nows[0][0])
            return True
        if is_header and _is_head_cell(node) and len(others) > 1:
            _strike_column(parent, node, None)
            return True
        node = parent
    return False


def _is_head_cell(node: Tag) -> bool:
    """Tell whether a cell is a header above a column, not before a row."""
    row = node.parent
    is_head = node.name == "th" or node.get("role") == "columnheader"
    return is_head and row is not None and all(cell.name == node.name for cell in _elements(row))


def _strike_column(row: Tag, cell: Tag, now: Tag | None) -> None:
    """Mark the cells below a header; if the cells of the row are not headers of columns, mark the cell after it."""
    cells = _elements(row)
    position, width = cells.index(cell), len(cells)
    rows = [other for other in _rows_beside(row) if other is not row]
    below = [_elements(other) for other in rows]
    if position == 0 and now is not None and width == 2 and not any(len(some) == width for some in below):
        below = []
    if _strike_in_flat_grid(cells, position):
        return
    if not any(len(some) > position for some in below):
        # A flat sequence: "Înainte", a value, "Acum", a value.
        for other in cells[position:]:
            if other is now:
                _strike(other)
                return
            _strike(other)
        return
    _strike_header(row, cell, *([now] if now is not None else []))
    shift = 0
    for some in below:
        # A row may lack the cell above the names of the rows.
        shift = 1 if len(some) == width + 1 else 0
        if len(some) in (width, width + 1):
            _strike(some[position + shift])
        elif len(some) > 1:
            for other in some[1:]:  # which of the cells are past is uncertain
                _strike(other)


def _strike_in_flat_grid(cells: Sequence[Tag], position: int) -> bool:
    """Mark a column of a grid whose cells are all siblings; return False if the cells are no such grid."""
    width = next((i for i, cell in enumerate(cells) if field_of(collapse(cell.get_text(" ")))), 0)
    if width < 2 or position >= width or len(cells) < 2 * width:
        return False
    is_even = len(cells) % width == 0
    for i, cell in enumerate(cells):
        if i < width or i % width == position or (not is_even and i % width):
            _strike(cell)
    return True


def _strike_header(row: Tag, *cells: Tag) -> None:
    """Mark header cells; the whole row, if the other headers say nothing about what is below."""
    others = [cell for cell in _elements(row) if not any(cell is struck for struck in cells)]
    if all(not (text := _text(cell)) or text in _ROW_NAMES or text in NOW_WORDS for cell in others):
        _strike(row)
    for cell in cells:
        _strike(cell)


def _mark_past_panels(soup: BeautifulSoup, tabs: Sequence[Tag]) -> None:
    """Mark the panels of tabs with a title of the past.

        <button role="tab" aria-controls="b">Istoric</button> …
        <div role="tabpanel" id="b" hidden>…</div>

    → the `div`
    """
    for tab in tabs:
        target = (
            tab.get("aria-controls") or tab.get("data-bs-target") or tab.get("data-target") or tab.get("href")
        )
        if not target or (
            tab.name == "a" and not str(target).startswith("#") and not tab.get("aria-controls")
        ):
            continue
        if field_of(collapse(tab.get_text(" "))) is not Field.HISTORY:
            continue
        panel = soup.find(id=str(target).lstrip("#"))
        if isinstance(panel, Tag) and panel is not tab and tab not in panel.descendants:
            _strike(panel)


def _mark_ended(tag: Tag) -> None:
    """Mark the rows that have ended, in a table with columns for the first and the last day, and for one field.

        <tr><th>Adresa</th><th>De la</th><th>Până la</th></tr>
        <tr><td>str. Veche, 1</td><td>01.02.2010</td><td>03.04.2019</td></tr>
        <tr><td>str. Nouă, 2</td><td>03.04.2019</td><td>prezent</td></tr>

    → the second row. If the cells are not days, the columns state the values before and after a change.
    """
    cell = tag if tag.name in ("th", "td") else tag.find_parent(["th", "td"])
    row = cell.parent if isinstance(cell, Tag) else None
    if cell is None or row is None or _text(cell) not in UNTIL_WORDS:
        return
    headers = [_text(other) for other in _elements(row)]
    starts = [i for i, header in enumerate(headers) if header in FROM_WORDS]
    if len(starts) != 1 or any(column_of(header) is Column.NAME for header in headers):
        return  # a table of parties keeps those who have left as remarks
    until, since = _elements(row).index(cell), starts[0]
    rows = [_elements(other) for other in _rows_beside(row) if other is not row]
    rows = [some for some in rows if len(some) == len(headers)]
    days = [_text(some[i]) for some in rows for i in (until, since)]
    is_term = all(not day or day in STILL_WORDS or parse_date(day) is not None for day in days)
    if not is_term:
        if (
            headers[0] in _ROW_NAMES
            or not headers[0]
            or any(field_of(some[0].get_text(" ")) for some in rows)
        ):
            _strike_column(row, _elements(row)[since], cell)
        return
    has_field = any(field_of(header) not in (None, *PARTY_FIELDS) for header in headers) or any(
        field_of(some[0].get_text(" ")) for some in rows
    )
    if has_field:
        for some in rows:
            if parse_date(_text(some[until])) is not None:
                for other in some:
                    _strike(other)
        _strike_header(row, _elements(row)[since], cell)
        for some in rows:
            _strike(some[since])
            _strike(some[until])


def _rows_beside(row: Tag) -> Iterator[Tag]:
    """Yield the rows of a table, or the elements beside a row of plain blocks."""
    table = row.find_parent("table") if row.name == "tr" else None
    if table is not None:
        yield from (other for other in table.find_all("tr") if other.find_parent("table") is table)
        return
    around = row.parent
    while around is not None and len(_elements(around)) == 1 and around.name != "body":
        around = around.parent
    if around is None:
        return
    for child in _elements(around):
        rows: Sequence[Tag] = child.find_all(None, {"role": "row"}) if child.get("role") == "rowgroup" else ()
        yield from rows or (child,)


def _elements(tag: Tag) -> list[Tag]:
    return [
        child
        for child in tag.children
        if isinstance(child, Tag) and child.name not in ("br", "script", "style")
    ]


def _strike(tag: Tag) -> None:
    tag.attrs[MARKS] = str(marks_of(tag) | int(Mark.STRUCK))
