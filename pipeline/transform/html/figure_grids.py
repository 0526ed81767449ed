"""Tables of key figures as grids: columns or rows of years, columns of units; from `table` or from plain blocks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pipeline.transform.html.columns import is_cell, is_row, rows_of
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.html.statement_years import year_of_column
from pipeline.transform.money_units import Unit, unit_in, units_in, without_units
from pipeline.transform.source_text import fold, text_or_none, words
from pipeline.transform.vocabulary.field import FIGURE_FIELDS
from pipeline.transform.vocabulary.labels import field_of

_SPAN = re.compile(r"\d{1,2}")
_DEPTH = 4
_MOST_ROWS, _MOST_CELLS = 500, 60
"""A larger table or row is not one of key figures. The limits keep the time to read a hostile page short."""
_ROWS_ABOVE = 3
_UNIT_HEADERS = frozenset(
    fold(text)
    for text in words(
        "u.m. | um | u/m | unitate | unitatea | unitate de masura | unitatea de masura | unit | units |"
        "unit of measure |"
        "measure | measurement unit | ед. изм. | ед.изм. | ед. изм | единица измерения | единица | единицы | scara |"
        "valuta | moneda | валюта | currency"
    )
)
_VALUE_HEADERS = frozenset(
    fold(text)
    for text in words(
        "valoare | valoarea | suma | sume | total | value | amount | значение | сумма | величина | всего |"
        "perioada de gestiune | la sfarsitul perioadei de gestiune | |"
    )
)
_MINOR_HEADERS = frozenset(
    fold(text)
    for text in words(
        "cod | codul | cod rd. | codul randului | cod rind | cod rand | rd. | nr. | nr | nr. crt. | nr. rd. | № | # |"
        "n | код | код строки | code | row | line | line code | no. | п/п"
    )
)
_INDICATOR_HEADERS = frozenset(
    fold(text)
    for text in words(
        "indicator | indicatori | indicatorul | indicatorii | denumirea indicatorului | denumirea indicatorilor |"
        "rubrica | denumirea | denumire | anul | an | perioada | показатель | показатели | наименование показателя |"
        "год | период | year | indicators | item | period | figure | key figure"
    )
)

Grid = list[list[Node]]


@dataclass(frozen=True)
class GridAmount:
    """An amount in a grid with the units in its row and in the headers above; `year` is None if no header names it."""

    text: str
    units: tuple[Unit, ...]
    year: int | None = None


@dataclass(frozen=True)
class _Place:
    """A label in a grid: its row and its column."""

    grid: Grid
    row: int
    column: int

    @property
    def cells(self) -> list[Node]:
        return self.grid[self.row]


class FigureGrids:
    """Finds the places of labels in the grids of a page, each once: the rows of a grid are alike."""

    def __init__(self) -> None:
        """Create the finder for one page."""
        self._places: dict[int, _Place | None] = {}
        self._rows: dict[tuple[int, int], Grid] = {}

    def row_of(self, label: Node) -> Node | None:
        """Return the row of the table or grid that contains a label, or None."""
        cell = next((node for node in (label, *label.ancestors()) if is_cell(node)), None)
        if cell is not None:
            return cell.parent if cell.parent is not None and is_row(cell.parent) else None
        place = self._place_in_blocks(label)
        row = place.cells[0].parent if place is not None else None
        return (
            row if row is not None and place is not None and len(row.children) == len(place.cells) else None
        )

    def amounts_of(self, label: Node, values: Sequence[Node]) -> list[GridAmount] | None:
        """Return the amounts of a label in a table with a column or a row for each year, or with a column for units.

            <tr><th>Indicator</th><th>2024, lei</th><th>2023, lei</th></tr>
            <tr><td>Total active</td><td>12 000</td><td>11 000</td></tr>

        → the amounts of 2024 and 2023

        Args:
            label: The label.
            values: The nodes that label_values.py found as its value.

        Returns:
            The amounts; [] if it is not certain which cell is the amount; None if the label is not in such a table, so
            that its only value is the amount.
        """
        place = _place_in_table(label)
        if place is None:
            blocks = self._place_in_blocks(label)
            if blocks is None:
                return None
            amounts = _of_year_columns(blocks)
            return amounts if amounts is not None else _of_year_rows(blocks)
        for read in (_of_year_columns, _of_year_rows, _of_value_column):
            amounts = read(place)
            if amounts is not None:
                return amounts
        row = place.cells[place.column].parent
        is_below = bool(values) and row is not None and not row.contains(values[0])
        return None if is_below or (len(set(map(id, place.cells))) == 2 and place.column == 0) else []

    def _place_in_blocks(self, label: Node) -> _Place | None:
        if label.start not in self._places:
            self._places[label.start] = self._find_place_in_blocks(label)
        return self._places[label.start]

    def _find_place_in_blocks(self, label: Node) -> _Place | None:
        """Return the place of a label in a grid of plain blocks, one of whose rows or columns is headed by years.

            <div><div>Indicator</div><div>2024</div><div>2023</div></div>
            <div><div>Total active</div><div>12 000</div><div>11 000</div></div>

        → row 1, column 0. The cells may also be siblings without rows.
        """
        cell = label
        for _ in range(_DEPTH):
            row = cell.parent
            if row is None:
                return None
            if 2 < len(row.children) <= _MOST_ROWS and all(child.tag != TEXT for child in row.children):
                for grid in self._grids_around(row):
                    for i, cells in enumerate(grid):
                        if cell in cells:
                            return _Place(grid, i, cells.index(cell))
            cell = row
        return None

    def _grids_around(self, row: Node) -> Iterator[Grid]:
        """Yield the grids that a row may belong to, or be: only those with a year in the first row or column."""
        if grid := _flat_grid(row):
            yield grid
        for region in islice(row.ancestors(), 2):
            key = region.start, len(row.children)
            if key not in self._rows:
                self._rows[key] = _rows_of_width(region, len(row.children))
            if self._rows[key]:
                yield self._rows[key]
                return


def _of_year_columns(place: _Place) -> list[GridAmount] | None:
    """Read the amounts to the right of a label. Their years are in the nearest row above that contains a year.

        <tr><th rowspan="2">Indicator</th><th colspan="2">mii lei</th></tr>
        <tr><th>2024</th><th>2023</th></tr>
        <tr><td>Total active</td><td>12 000</td><td>11 000</td></tr>

    → two amounts in thousands of lei
    """
    above = next((i for i in reversed(range(place.row)) if _is_year_header(place, i)), None)
    if above is None:
        return None
    headers = place.grid[above]
    years = [year_of_column(cell.text) for cell in headers]
    known = [year for year in years if year is not None]
    if len(headers) != len(place.cells) or len(set(known)) != len(known) or any(years[: place.column + 1]):
        return []
    header_rows = [headers, *_headers_above(place.grid, above)]
    own = [
        *_row_units(place, header_rows, years),
        *_units_of(header_rows, [i for i, year in enumerate(years) if year is None]),
    ]
    return [
        GridAmount(text, (*own, *_units_of(header_rows, [i])), year)
        for i, year in enumerate(years)
        if year is not None and (text := text_or_none(place.cells[i].text))
    ]


def _is_year_header(place: _Place, row: int) -> bool:
    """Tell whether a row above a label holds years as column headers.

        <tr><th>Indicator</th><th>2024</th></tr>
        <tr><td>Anul fondării</td><td>2015</td></tr>

    → True for the first row, False for the second
    """
    cells = place.grid[row]
    if not any(year_of_column(cell.text) for cell in cells):
        return False
    if all(cell.tag == "th" or cell.attributes.get("role") == "columnheader" for cell in cells):
        return True
    head = cells[place.column] if place.column < len(cells) else cells[0]
    if not head.text or without_units(head.text) in _INDICATOR_HEADERS:
        return True
    is_first = all(len(set(map(id, above))) == 1 for above in place.grid[:row])
    return is_first and len(cells) > 2 and field_of(head.text) not in FIGURE_FIELDS


def _of_year_rows(place: _Place) -> list[GridAmount] | None:
    """Read the amounts in the column below a label, in a table with a column of years.

        <tr><th>Anul</th><th>Total active, lei</th></tr>
        <tr><td>2024</td><td>12 000</td></tr>
        <tr><td>2023</td><td>11 000</td></tr>

    → two amounts
    """
    below = [row for row in place.grid[place.row + 1 :] if len(row) == len(place.cells)]
    columns = (
        i
        for i in range(len(place.cells))
        if i != place.column and any(year_of_column(row[i].text) for row in below)
    )
    year_column = next(columns, None)
    if year_column is None:
        return None
    years = [year_of_column(row[year_column].text) for row in below]
    known = [year for year in years if year is not None]
    if len(set(known)) != len(known):
        return []
    header_rows = [place.cells, *_headers_above(place.grid, place.row)]
    headers = _units_of(header_rows, [year_column, place.column])
    return [
        GridAmount(text, (*headers, *units_in(row[year_column].text, is_title=True)), year)
        for year, row in zip(years, below, strict=True)
        if year is not None and (text := text_or_none(row[place.column].text))
    ]


def _of_value_column(place: _Place) -> list[GridAmount] | None:
    """Read the amount of a label in a table with one column of values, and perhaps one of units. No header has a year.

        <tr><th>Indicator</th><th>U.M.</th><th>Valoare</th></tr>
        <tr><td>Total active</td><td>mii lei</td><td>12 000</td></tr>

    → one amount in thousands of lei; None if more than one cell can be the amount
    """
    header_rows = [row for row in place.grid[:1] if place.row > 0 and len(row) == len(place.cells)]
    rest = range(place.column + 1, len(place.cells))
    if len(rest) < 2 and not any(unit_in(cell.text) for cell in place.cells[: place.column]):
        return None
    kinds = [_kind_of_column(header_rows[0][i].text) if header_rows else "" for i in rest]
    values = [
        i
        for i, kind in zip(rest, kinds, strict=True)
        if kind != "unit" and kind != "minor" and not unit_in(place.cells[i].text)
    ]
    is_known = (
        all(kinds) if header_rows else all(unit_in(place.cells[i].text) for i in rest if i not in values)
    )
    if len(values) != 1 or not is_known or not (text := text_or_none(place.cells[values[0]].text)):
        return None
    own = _row_units(place, header_rows, [None] * len(place.cells), skipped=values)
    return [GridAmount(text, (*own, *_units_of(header_rows, [place.column, *values])))]


def _kind_of_column(header: str) -> str:
    folded = fold(header).strip(" :.")
    if folded in {text.strip(" .") for text in _UNIT_HEADERS}:
        return "unit"
    if folded in {text.strip(" .") for text in _MINOR_HEADERS}:
        return "minor"
    return "value" if without_units(header) in _VALUE_HEADERS else ""


def _row_units(
    place: _Place, header_rows: Sequence[list[Node]], years: Sequence[int | None], skipped: Sequence[int] = ()
) -> Iterator[Unit]:
    """Yield the units in the row of a label: of a column for units, and of cells that are only a unit."""
    for i, cell in enumerate(place.cells):
        if years[i] is not None or i == place.column or i in skipped:
            continue
        is_unit_column = any(_kind_of_column(row[i].text) == "unit" for row in header_rows)
        if unit := unit_in(cell.text):
            yield unit
        elif is_unit_column and cell.text:
            yield Unit(is_certain=False)


def _units_of(rows: Sequence[list[Node]], columns: Sequence[int]) -> list[Unit]:
    texts = dict.fromkeys(row[i].text for row in rows for i in columns)
    return [unit for text in texts for unit in units_in(text, is_title=True)]


def _headers_above(grid: Grid, row: int) -> Iterator[list[Node]]:
    """Yield the header rows directly above a header row: rows of `th`, or with one cell over all columns."""
    for i in reversed(range(max(0, row - _ROWS_ABOVE), row)):
        cells = grid[i]
        if len(cells) != len(grid[row]) or not (
            all(cell.tag == "th" or not cell.text for cell in cells) or len(set(map(id, cells))) == 1
        ):
            return
        yield cells


def _place_in_table(label: Node) -> _Place | None:
    """Return the place of a label in a table; cells that span rows or columns are repeated in the grid."""
    cell = next((node for node in (label, *label.ancestors()) if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    if cell is None or row is None or not is_row(row):
        return None
    table = next((node for node in row.ancestors() if node.tag == "table" or "role" in node.attributes), None)
    grid = _expanded(rows_of(table)[:_MOST_ROWS]) if table is not None else []
    return next((_Place(grid, i, cells.index(cell)) for i, cells in enumerate(grid) if cell in cells), None)


def _expanded(rows: Sequence[list[Node]]) -> Grid:
    grid: Grid = []
    open_cells: dict[int, tuple[Node, int]] = {}
    for row in rows:
        cells: list[Node] = []
        waiting = list(row)
        while waiting or len(cells) in open_cells:
            if len(cells) in open_cells:
                node, left = open_cells.pop(len(cells))
                if left > 1:
                    open_cells[len(cells)] = (node, left - 1)
                cells.append(node)
                continue
            node = waiting.pop(0)
            for _ in range(_span(node, "colspan")):
                if _span(node, "rowspan") > 1:
                    open_cells[len(cells)] = (node, _span(node, "rowspan") - 1)
                cells.append(node)
        grid.append(cells)
    return grid


def _span(node: Node, name: str) -> int:
    text = node.attributes.get(name, "1")
    return min(max(1, int(text)), _MOST_CELLS) if _SPAN.fullmatch(text) else 1


def _rows_of_width(region: Node, width: int) -> Grid:
    """Return the rows of a region that have as many cells, if a year is in their first row or first column; else []."""
    children = region.children[:_MOST_ROWS]
    near = [*children, *(inner for child in children for inner in child.children[:_MOST_ROWS])]
    rows = [
        node.children
        for node in near
        if len(node.children) == width and all(child.tag != TEXT for child in node.children)
    ]
    has_year = len(rows) > 1 and any(year_of_column(cells[i].text) for cells in rows for i in (0, -1))
    return rows if has_year else []


def _flat_grid(node: Node) -> Grid:
    cells = node.children
    width = next((i for i, cell in enumerate(cells[1:], 1) if year_of_column(cell.text) is None), 1)
    if width < 3 or len(cells) <= width or len(cells) % width:
        return []
    return [cells[i : i + width] for i in range(0, len(cells), width)]
