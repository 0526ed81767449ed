"""What stands beside a label: the sibling, the rest of the line, the cells of a row or below a column's head."""

import re
from collections.abc import Sequence
from itertools import takewhile

from pipeline.transform.html.columns import Column, columns_of, is_cell, is_row, rows_of
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.vocabulary.field import LIST_FIELDS, PARTY_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, is_action, label_in_line

LABEL_TAGS = frozenset({"dt", "th", "label", "b", "strong", "summary", "legend", "caption", *HEADINGS})
NO_SLOT = frozenset({"br", "hr", "i", "wbr"})
MARKS = " \t:：·•|–—-*?"
"""What may stand between a label and its value and is neither."""

_COUNT = re.compile(r"[(\[]?\d{1,4}(?: [^\W\d_]{3,20})?[)\]]?")
_SPAN = re.compile(r"\d{1,2}")


def value_beside(field: Field, place: Node) -> tuple[Node, ...]:
    """Return the nodes of the value of a label that fills its own element; () if there is none, or none certain."""
    if panel := _opened_panel(place):
        return (panel,)
    node = _opener(place) or place
    while node.parent is not None:
        value = _value_at(field, node)
        if value is not None:
            return tuple(value)
        node = node.parent
    return ()


def _opener(place: Node) -> Node | None:
    """What is clicked to fold open what a label announces: the panel stands beside it, its arrow inside."""
    around = takewhile(lambda node: len(node.text) <= LABEL_LENGTH, place.ancestors())
    return next((node for node in around if "aria-expanded" in node.attributes), None)


def _opened_panel(place: Node) -> Node | None:
    """The panel that a label opens, where the page says which one it is."""
    around = [place, *place.ancestors()]
    openers = (*around[:3], *place.descendants())
    target = next(
        (node.attributes["aria-controls"] for node in openers if "aria-controls" in node.attributes), None
    )
    if target is None:
        return None
    panels = (node for node in around[-1].descendants() if node.attributes.get("id") == target)
    return next((node for node in panels if node.text and not node.holds(place)), None)


def _value_at(field: Field, node: Node) -> Sequence[Node] | None:
    """The value on the level of `node`; None if there is neither a value nor another thing on it."""
    if node.tag == "dt":
        values = takewhile(lambda sibling: sibling.tag != "dt", node.after())
        return [value for value in values if value.text]
    if is_cell(node) and node.parent is not None and is_row(node.parent):
        return _cells(field, node, node.parent)
    if (below := _below(field, node)) is not None:
        return below
    after = _without_marks(node.after())
    if not any(sibling.text for sibling in after):
        if any(sibling.text.strip(" :：·•|") for sibling in node.after()):
            return []  # a dash alone says that there is nothing
        is_blank = any(sibling.tag not in NO_SLOT and sibling.tag != TEXT for sibling in after)
        return [] if is_blank or any(sibling.text.strip(MARKS) for sibling in node.before()) else None
    if all(
        not sibling.text or is_action(sibling.text) or _COUNT.fullmatch(sibling.text) for sibling in after
    ):
        return (
            None
            if field in LIST_FIELDS or not _COUNT.fullmatch(after[0].text)
            else _single(field, node, after)
        )
    return _list(field, node, after) if field in LIST_FIELDS else _single(field, node, after)


def _without_marks(siblings: list[Node]) -> list[Node]:
    """Leave out the colon or dash between a label and its value."""
    first = next(
        (i for i, node in enumerate(siblings) if node.tag != TEXT or node.text.strip(MARKS)), len(siblings)
    )
    return siblings[first:]


def _cells(field: Field, cell: Node, row: Node) -> Sequence[Node]:
    cells = [other for other in row.children if is_cell(other)]
    if len(cells) == 1:
        return _rows_below(row)
    is_row_head = cell.tag == "th" and any(other.tag == "td" for other in cells)
    if not is_row_head and all(
        other.tag == "th" or field_of(other.text) or other.attributes.get("role") == "columnheader"
        for other in cells
    ):
        return _column(field, cell, row, cells)
    value = cells[cells.index(cell) + 1 :][:1]
    if field in LIST_FIELDS and value:
        value += _spanned(cell, row)
    return [node for node in value if node.text]


def _rows_below(row: Node) -> list[Node]:
    """The rows below a row that is one label, up to the next such row."""
    following = row.after() or (row.parent.after() if row.parent is not None else [])
    rows = [node for node in following if is_row(node)]
    return list(takewhile(lambda other: sum(1 for cell in other.children if is_cell(cell)) > 1, rows)) or (
        rows[:1] if rows and field_of(rows[0].text) is None else []
    )


def _spanned(cell: Node, row: Node) -> list[Node]:
    """The cells of the rows that a row's head spans, or that have a blank head."""
    span = cell.attributes.get("rowspan", "1")
    more = int(span) - 1 if _SPAN.fullmatch(span) else 0
    cells: list[Node] = []
    for other in (node for node in row.after() if is_row(node)):
        inside = [node for node in other.children if is_cell(node)]
        if more > 0 and inside:
            cells.append(inside[0])
        elif len(inside) == 2 and not inside[0].text and inside[0].tag == cell.tag:
            cells.append(inside[1])
        else:
            break
        more -= 1
    return cells


def _column(field: Field, cell: Node, row: Node, cells: list[Node]) -> Sequence[Node]:
    """What stands below a column's head: one row of values, since many rows are many companies."""
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


def _below(field: Field, node: Node) -> Sequence[Node] | None:
    """The value below a head where rows are no table: a row of labels, then as long a row of values."""
    row = node.parent
    if row is None or len(row.children) < 2 or not all(field_of(child.text) for child in row.children):
        return None
    rows = [other for other in row.after() if other.tag != TEXT and len(other.children) == len(row.children)]
    if len(rows) != 1 or any(field_of(child.text) for child in rows[0].children):
        return None
    value = rows[0].children[row.children.index(node)]
    return [value] if value.text else []


def _single(field: Field, node: Node, after: list[Node]) -> Sequence[Node]:
    """The value of a label that has one."""
    if after[0].tag == "br":
        after = _without_marks(after[1:])
    if not after or not after[0].text or _is_label(node, after[0]):
        return []
    first = after[0]
    if (first.shape == node.shape and _is_field_itself(first)) or _is_labelled_block(first):
        return []
    if first.is_inline:
        value = _single_inline(node, after)
        return value if field is not Field.ADDRESS or ends_with_line(node, value, after) else []
    others = [other for other in after[1:] if other.text]
    # Two blocks of values under one label: who can say whether the second belongs to it?
    has_second = bool(others) and others[0].shape == first.shape != node.shape
    return [] if has_second and not _opens_with_label(others[0]) else [first]


def _is_labelled_block(node: Node) -> bool:
    """Tell whether a node opens with a label in a place of its own, and goes on."""
    leaves = list(node.leaves())
    return len(leaves) > 1 and node.is_block and field_of(leaves[0].text) is not None


def _is_field_itself(node: Node) -> bool:
    """Tell whether a node holds a label and its value: what went before it was a label without a value."""
    return _opens_with_label(node) or (len(node.children) > 1 and node.children[0].tag in LABEL_TAGS)


def _single_inline(node: Node, after: list[Node]) -> Sequence[Node]:
    """The value among inline siblings: one value in pieces, or labels and values that take turns."""
    line = rest_of_line(node, after)
    if any(other.tag == TEXT for other in line):
        return line
    first, *others = [other for other in after if other.text]
    in_pieces = bool(others) and others[0].shape == first.shape != node.shape
    return line if in_pieces else [first]


def rest_of_line(node: Node, after: Sequence[Node]) -> list[Node]:
    """Return the nodes after a label up to a line break, a block or the next label."""
    line: list[Node] = []
    for sibling in after:
        if not sibling.is_inline or (line and _is_label(node, sibling)):
            break
        line.append(sibling)
    while line and not line[-1].text.strip(" |·•"):
        line.pop()
    return line


def lines_of(node: Node, after: Sequence[Node]) -> list[Node]:
    """Return the nodes after a label up to the next label or block, over line breaks."""
    lines = rest_of_line(node, after)
    rest = [other for other in after if not lines or other.start > lines[-1].end]
    if ends_with_line(node, lines, after) or not rest or rest[0].tag != "br":
        return lines
    return [*lines, rest[0], *lines_of(node, rest[1:])]


def ends_with_line(node: Node, line: Sequence[Node], after: Sequence[Node]) -> bool:
    """Tell whether a value ends with its line: what follows a line break is another label, or no text."""
    rest = [other for other in after if not line or other.start > line[-1].end]
    if not rest or rest[0].tag != "br":
        return True
    below = next((other for other in rest if other.text), None)
    if below is None or not below.is_inline or is_action(below.text):
        return True
    if _is_label(node, below) or field_of(below.text) is not None or ":" in below.text.partition("(")[0]:
        return True
    return below.tag in LABEL_TAGS or (below.tag != TEXT and below.shape == node.shape)


def _is_label(place: Node, node: Node) -> bool:
    """Tell whether a sibling of a label (or of its value) is the next label, one we know or not."""
    if node.tag == TEXT:
        return False
    if node.shape == place.shape and (field_of(node.text) is not None or place.tag in LABEL_TAGS):
        return True
    is_value_place = node.is_block and node.shape != place.shape and field_of(node.text) is None
    return not is_value_place and node.text.endswith((":", "：")) and len(node.text) <= LABEL_LENGTH


def _list(field: Field, node: Node, after: list[Node]) -> Sequence[Node]:
    """The value of a label that may have many."""
    over_lines = after[0].tag == "br"
    shown = [other for other in after if other.tag == "br" or other.text]
    while shown and (shown[0].tag == "br" or is_action(shown[0].text) or _COUNT.fullmatch(shown[0].text)):
        shown.pop(0)
    if not shown:
        return []
    first = shown[0]
    # "Fondatori", then "Adresa: …" of another kind: a blank list, or a name that looks like a label. Neither is read.
    if field_of(first.text) or _announces_other(field, first, with_value=first.shape == node.shape):
        return []
    if over_lines and first.is_inline:
        return list(
            takewhile(lambda other: other.is_inline or other.tag == "br", _until_label(field, node, shown))
        )
    if _is_blank_section(node, first):
        return []
    if first.is_inline and (first.tag == TEXT or any(other.tag in (TEXT, "br") for other in shown)):
        return lines_of(node, shown)
    until_label = _until_label(field, node, shown)
    if first.shape == node.shape:
        others = [other for other in shown[1:] if other.text]
        return [] if others and not _ends_list(first, others[0]) else [first]
    taken = list(takewhile(lambda other: _goes_on(first, other), until_label))
    rest = [other for other in until_label[len(taken) :] if other.text]
    # A list that goes on in another manner, or turns into something else: nobody knows where it ends.
    return [] if rest and first.is_inline and rest[0].is_inline and not is_action(rest[0].text) else taken


def _ends_list(first: Node, other: Node) -> bool:
    """Tell whether what follows a value in the manner of its label is no more of it."""
    return other.shape != first.shape or _opens_with_label(other) or other.text.endswith((":", "："))


def _is_blank_section(node: Node, following: Node) -> bool:
    """Tell whether a label stands alone in a section, and what follows is another: titled, or one of its kind."""
    title = _title(node)
    if node.is_inline or title is None or title.text != node.text:
        return False
    opening = _title(following)
    if (
        node.tag not in ("header", *HEADINGS)
        and _is_in_heading(title)
        and opening
        and _is_in_heading(opening)
    ):
        return True
    kin = [other for other in (*node.before(), *node.after()) if other.shape == node.shape]
    others = [(_title(other), other) for other in kin]
    return any(
        other is not None and other.shape == title.shape and other.is_block and other.text != section.text
        for other, section in others
    )


def _is_in_heading(node: Node) -> bool:
    return node.tag in HEADINGS or node.within(*HEADINGS) is not None


def _is_headed(node: Node) -> bool:
    title = _title(node)
    return title is not None and _is_in_heading(title)


def _title(section: Node) -> Node | None:
    """The element around the first text of a section."""
    return next((leaf.parent for leaf in section.leaves()), None)


def _until_label(field: Field, node: Node, shown: list[Node]) -> list[Node]:
    is_headed = _is_headed(shown[0])

    def ends(other: Node) -> bool:
        return (
            other.tag in HEADINGS
            or (_is_headed(other) and not is_headed)
            or other.shape == node.shape
            or _announces_other(field, other)
            or _is_label(node, other)
        )

    return [*shown[:1], *takewhile(lambda other: not ends(other), shown[1:])]


def _goes_on(first: Node, other: Node) -> bool:
    """Parties of one list look alike; a share or a role may stand between them in its own manner."""
    alike = other.shape == first.shape or bool(first.shape[1] and other.shape[1] == first.shape[1])
    return alike or (
        other.tag == first.tag and any(letter.isdigit() for letter in other.text) and len(other.text) < 12
    )


def _announces_other(field: Field, node: Node, *, with_value: bool = True) -> bool:
    """Tell whether a node is or opens with the label of another field of the company."""
    opening = next(node.leaves(), None)
    if opening is None or opening.within("a", "li") is not None:
        return False
    line = label_in_line(opening.text) if with_value else None
    announced = field_of(opening.text) or (line[0] if line else None)
    return announced not in (None, field, Field.IDNO, Field.NAME, Field.LEGAL_FORM)


def _opens_with_label(node: Node) -> bool:
    opening = next(node.leaves(), None)
    return opening is not None and (field_of(opening.text) or label_in_line(opening.text)) is not None
