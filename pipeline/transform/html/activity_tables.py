"""Reads activities from tables with a header: columns for names, codes and licences."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.transform.activity_text import parse_activity, says_more_activities, says_no_activities
from pipeline.transform.html.columns import is_row, rows_of
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.source_text import fold
from pipeline.transform.vocabulary.activity_words import COLUMN_BY_HEADER, IS_LICENSED_WORDS, ActivityColumn
from pipeline.transform.vocabulary.labels import field_of
from warehouse.records.models import Activity

_HEADER_LENGTH = 60
_Rows = Sequence[Sequence[Node]]


@dataclass
class ActivityList:
    """The activities in a label's value.

    Attributes:
        activities: The activities.
        remarks: What the list says about their licences, as written.
        unknown: Texts of columns with an unknown header.
        is_incomplete: Whether an entry says that the list continues ("și încă 4").
    """

    activities: list[Activity] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    is_incomplete: bool = False


def activity_table(nodes: Sequence[Node]) -> _Rows | None:
    """Return the rows of a table of activities with a header; None if the value is anything else.

        <table><tr><th>Nr. licenței</th><th>Genul de activitate</th></tr>
        <tr><td>012345</td><td>Transport</td></tr></table>

    → two rows of two cells
    """
    shown = [node for node in nodes if node.text]
    if len(shown) == 1:
        rows = rows_of(shown[0]) or _rows_in_blocks(shown[0])
    elif shown and all(is_row(node) for node in shown):
        rows = [[cell for cell in node.children if cell.tag != TEXT] for node in shown]
    else:
        return None
    return rows if len(rows) > 1 and is_activity_header(rows[0]) else None


def is_activity_header(row: Sequence[Node]) -> bool:
    """Tell whether a row holds the headers of a table of activities: known ones, with exactly one for the names.

        <tr><th>Cod CAEM</th><th>Denumirea activității</th></tr>

    → True
    """
    columns = [_column_of(cell) for cell in row]
    is_head = all(cell.tag == "th" or cell.attributes.get("role") == "columnheader" for cell in row)
    return columns.count(ActivityColumn.NAME) == 1 and (is_head or (len(row) > 1 and None not in columns))


def is_divided(nodes: Sequence[Node]) -> bool:
    """Tell whether a value is a table of activities with a column that tells which of them are licensed.

        <table><tr><th>Denumire</th><th>Licențiată</th></tr>
        <tr><td>Transport</td><td>Da</td></tr><tr><td>Depozitări</td><td>Nu</td></tr></table>

    → True
    """
    table = activity_table(nodes)
    return table is not None and any(_column_of(cell) is ActivityColumn.IS_LICENSED for cell in table[0])


def read_activity_table(rows: _Rows, *, licensed: bool, is_divided: bool = False) -> ActivityList | None:
    """Read the activities in a table with a header: names, codes, and what the table says about licences.

    If a column tells which activities are licensed, the table is that of all activities (`is_divided`), and only the
    activities that are (`licensed`) or are not licensed are returned; or each row must agree with the table's label.

        <tr><th>Genul de activitate</th><th>Nr. licenței</th><th>Valabilă până la</th></tr>
        <tr><td>Transport</td><td>A 012345</td><td>01.02.2025</td></tr>

    → "Transport", and the remark "Transport: Nr. licenței A 012345, Valabilă până la 01.02.2025"
    """
    headers = [(_column_of(cell), cell.text) for cell in rows[0]]
    found = ActivityList()
    kept = _rows_of_kind(rows, licensed=licensed, is_divided=is_divided)
    if kept is None:
        return None
    for row in kept:
        texts = dict.fromkeys(cell.text for cell in row if cell.text)
        if len(texts) == 1 and says_more_activities(next(iter(texts))):
            found.is_incomplete = True
        elif len(texts) == 1 and says_no_activities(next(iter(texts))):
            continue
        elif texts and (
            len(row) != len(headers) or not _read_row(headers, [cell.text for cell in row], found)
        ):
            return None
    found.activities = list(dict.fromkeys(found.activities))
    return found


def _rows_of_kind(rows: _Rows, *, licensed: bool, is_divided: bool) -> _Rows | None:
    """Return the rows of a table that belong to a list; None if a row does not tell, or contradicts the label."""
    columns = [_column_of(cell) for cell in rows[0]]
    if ActivityColumn.IS_LICENSED not in columns:
        return None if is_divided else rows[1:]
    kept = []
    for row in rows[1:]:
        texts = {cell.text for cell in row if cell.text}
        if len(row) != len(columns) or len(texts) < 2:
            kept.append(row)
            continue
        says = IS_LICENSED_WORDS.get(fold(row[columns.index(ActivityColumn.IS_LICENSED)].text).strip(" ."))
        if says is None or not (is_divided or says is licensed):
            return None
        if says is licensed:
            kept.append(row)
    return kept


def _read_row(
    headers: Sequence[tuple[ActivityColumn | None, str]], texts: Sequence[str], found: ActivityList
) -> bool:
    """Add a row to the activities found; return False if its name is not understood."""
    cells = [(column, header, text) for (column, header), text in zip(headers, texts, strict=True) if text]
    name = next((text for column, _, text in cells if column is ActivityColumn.NAME), "")
    parsed = parse_activity(name)
    if parsed is None or not name:
        return False
    if (activity := parsed.activity) is None:
        found.is_incomplete = found.is_incomplete or parsed.is_more
        return True
    code = next((text for column, _, text in cells if column is ActivityColumn.CODE), activity.code)
    found.activities.append(Activity(name=activity.name, code=code))
    about = [f"{header} {text}" for column, header, text in cells if column is ActivityColumn.LICENCE]
    about += [parsed.remark] if parsed.remark else []
    if about:
        found.remarks.append(f"{activity.name}: {', '.join(about)}")
    found.unknown += [f"{header}: {text}" for column, header, text in cells if column is None]
    return field_of(activity.name) is None


def _rows_in_blocks(node: Node) -> list[list[Node]]:
    """Return the rows of a grid of plain blocks, each as its cells; [] if the rows have different numbers of cells.

        <div><div>Nr. licenței</div><div>Genul de activitate</div></div>
        <div><div>012345</div><div>Transport</div></div>

    → two rows of two cells, if `node` is the element around both
    """
    while len(node.children) == 1 and node.children[0].tag != TEXT:
        node = node.children[0]
    rows = [child.children for child in node.children if child.text]
    is_grid = len({len(row) for row in rows}) == 1 and all(cell.tag != TEXT for row in rows for cell in row)
    return rows if is_grid and len(rows[0]) > 1 else []


def _column_of(cell: Node) -> ActivityColumn | None:
    text = cell.text
    return COLUMN_BY_HEADER.get(fold(text).strip(" :↑↓▲▼*")) if len(text) <= _HEADER_LENGTH else None
