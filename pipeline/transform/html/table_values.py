"""Search for the value of a label in a table: in the label's row, in the rows below, or in its column."""

import re
from collections.abc import Sequence
from itertools import takewhile

from pipeline.transform.html.columns import Column, columns_of, is_cell, is_row, rows_of
from pipeline.transform.html.page_tree import Node
from pipeline.transform.vocabulary.field import LIST_FIELDS, PARTY_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of

_ROWSPAN = re.compile(r"\d{1,2}")


def value_in_row(field: Field, cell: Node, row: Node) -> Sequence[Node]:
    """Return the value of a label that is a cell.

        <tr><th>Statut</th><td>Activă</td></tr>
        <tr><th>Statut</th><td>Activă</td><th>Adresa</th><td>str. Pilda, 1</td></tr>

    → the cell to the right of the label. If the label is alone in its row, the value is the rows below. If the row
    contains only labels, the value is the cell below the label.
    """
    cells = [other for other in row.children if is_cell(other)]
    if len(cells) == 1:
        return _rows_under(row)
    is_row_head = cell.tag == "th" and any(other.tag == "td" for other in cells)
    if not is_row_head and all(
        other.tag == "th" or field_of(other.text) or other.attributes.get("role") == "columnheader"
        for other in cells
    ):
        return _value_in_column(field, cell, row, cells)
    value = cells[cells.index(cell) + 1 :][:1]
    if field in LIST_FIELDS and value:
        value += _cells_of_spanned_rows(cell, row)
    return [node for node in value if node.text]


def _rows_under(row: Node) -> list[Node]:
    """Return the rows below a row that contains only a label, up to the next such row.

        <tr><th colspan="2">Fondatori</th></tr>
        <tr><td>MODELEANU ION</td><td>40%</td></tr>
        <tr><th colspan="2">Administratori</th></tr>

    → the second row
    """
    following = row.following_siblings() or (
        row.parent.following_siblings() if row.parent is not None else []
    )
    rows = [node for node in following if is_row(node)]
    return list(takewhile(lambda other: sum(1 for cell in other.children if is_cell(cell)) > 1, rows)) or (
        rows[:1] if rows and field_of(rows[0].text) is None else []
    )


def _cells_of_spanned_rows(cell: Node, row: Node) -> list[Node]:
    """Return the label's values in the following rows. The label spans these rows, or their headers are blank.

        <tr><th rowspan="2">Fondatori</th><td>MODELEANU ION</td></tr>
        <tr><td>EXEMPLESCU MARIA</td></tr>

    → the second `td`
    """
    span = cell.attributes.get("rowspan", "1")
    more = int(span) - 1 if _ROWSPAN.fullmatch(span) else 0
    cells: list[Node] = []
    for other in (node for node in row.following_siblings() if is_row(node)):
        inside = [node for node in other.children if is_cell(node)]
        if more > 0 and inside:
            cells.append(inside[0])
        elif len(inside) == 2 and not inside[0].text and inside[0].tag == cell.tag:
            cells.append(inside[1])
        else:
            break
        more -= 1
    return cells


def _value_in_column(field: Field, cell: Node, row: Node, cells: list[Node]) -> Sequence[Node]:
    """Return the value below a column header if the table has one row of values; several rows mean several companies.

        <tr><th>Statut</th><th>Adresa</th></tr>
        <tr><td>Activă</td><td>str. Pilda, 1</td></tr>

    → the second `td` for "Adresa". A table of parties (columns for names and for shares or roles) is returned whole.
    """
    table = next(
        (
            node
            for node in row.ancestors()
            if node.tag == "table" or "table" in node.attributes.get("role", "")
        ),
        None,
    )
    if table is None:
        return []
    columns = columns_of(cells) or []
    if field in PARTY_FIELDS and Column.NAME in columns and {Column.SHARE, Column.ROLE} & set(columns):
        return [table]
    rows = rows_of(table)
    below = [values for values in rows if values and values[0].start > row.end]
    if len(below) != 1 or len(below[0]) != len(cells):
        return []
    value = below[0][cells.index(cell)]
    return [value] if value.text else []
