"""Recognition of tables by their structure, whether they are built from `table`, ARIA roles or plain blocks."""

from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.vocabulary.table_columns import Column as Column
from pipeline.transform.vocabulary.table_columns import column_of as column_of

_CELL_TAGS = frozenset({"td", "th"})
_CELL_ROLES = frozenset({"cell", "gridcell", "columnheader", "rowheader"})


def is_cell(node: Node) -> bool:
    """Tell whether a node is a table cell.

        <td>SRL</td>
        <div role="cell">SRL</div>

    → True for both
    """
    return node.tag in _CELL_TAGS or node.attributes.get("role") in _CELL_ROLES


def is_row(node: Node) -> bool:
    """Tell whether a node is a table row.

        <tr><td>SRL</td></tr>
        <div role="row"><div role="cell">SRL</div></div>

    → True for both
    """
    return node.tag == "tr" or node.attributes.get("role") == "row"


def rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of a table, each as its cells; [] if the node is not a table.

    `node` may be a table, a part of a table, or an element around a table. Plain blocks are a table if their first row
    is a header:

        <div><div>Nume</div><div>Cota</div></div>
        <div><div>MODELEANU ION</div><div>40%</div></div>

    → two rows of two cells, if `node` is the element around both
    """
    rows = [inner for inner in (node, *node.descendants()) if is_row(inner)]
    if rows:
        return [[cell for cell in row.children if cell.tag != TEXT] for row in rows]
    lines = [row.children for row in _unwrap(node).children if row.tag != TEXT]
    is_grid = len(lines) > 1 and not any(cell.tag == TEXT for line in lines for cell in line)
    return lines if is_grid and _is_header_row(lines[0]) else []


def flat_rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of a grid whose cells are all siblings; [] if the first cells are not known headers.

        <div><p>Nume</p><p>Cota</p>
        <p>MODELEANU ION</p><p>40%</p>
        <p>EXEMPLESCU MARIA</p><p>60%</p></div>

    → three rows of two cells
    """
    cells = [child for child in _unwrap(node).children if child.tag != TEXT]
    width = next((i for i, cell in enumerate(cells) if column_of(cell.text) is None), 0)
    if width < 2 or len(cells) % width or not _is_header_row(cells[:width]):
        return []
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def columns_of(row: list[Node]) -> list[Column] | None:
    """Return the contents of the columns below a header row, or None if the row is not a header.

        <tr><th>Nr.</th><th>Persoana</th><th>Cota-parte</th></tr>

    → [NUMBER, NAME, SHARE]. If no known header means a name and exactly one is unknown, the unknown one is the name.
    """
    if not _is_header_row(row):
        return None
    columns = [column_of(cell.text) for cell in row]
    if Column.NAME not in columns and columns.count(None) == 1:
        columns[columns.index(None)] = Column.NAME
    return [column or Column.UNKNOWN for column in columns]


def _is_header_row(row: list[Node]) -> bool:
    """Tell whether a row holds column headers.

        <tr><th>Rubrica</th><th>Cota</th></tr>
        <tr><td>Nume</td><td>Cota</td></tr>

    → True for both: in `th`, one known header text suffices; in other cells, all texts must be known headers
    """
    known = [column_of(cell.text) for cell in row]
    if all(cell.tag == "th" or cell.attributes.get("role") == "columnheader" for cell in row):
        return bool(row) and any(known)
    return bool(row) and all(known) and any(cell.text for cell in row)


def _unwrap(node: Node) -> Node:
    """Go down from `node` as long as an element has only one child; return the last node."""
    while len(node.children) == 1 and node.children[0].tag != TEXT:
        node = node.children[0]
    return node
