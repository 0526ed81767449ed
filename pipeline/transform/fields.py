"""Labels and the values beside them, by structure alone: no class names, any layout.

A label is a text that as a whole is one of `labels`, in a place of its own, or the start of a text up to
its colon. Its value is what stands next to it: the following sibling, the rest of the line, the cell below
a column's head. Once read, a value is no place to look for labels (it is data, and may be hostile).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from bs4.element import NavigableString, Tag

from pipeline.transform.document import (
    HEADINGS,
    INLINE_TAGS,
    Page,
    next_nodes,
    shape,
    text_nodes,
    visible_text,
)
from pipeline.transform.labels import LIST_FIELDS, Field, field_of

_NO_LABEL_WITHIN = ("a", "button", "option", "h1", "input")
_LABEL_TAGS = frozenset({"dt", "th", "label", "b", "strong", *HEADINGS})

Node = Tag | NavigableString


@dataclass(frozen=True)
class Found:
    """A label on the page with the nodes of its value.

    `place` is the node that holds the label; `text` the value if it stands in the label's own text.
    """

    field: Field
    place: Node
    nodes: tuple[Node, ...]
    text: str | None = None

    @property
    def value(self) -> str:
        """The value as text."""
        if self.text is not None:
            return self.text
        return " ".join(filter(None, (visible_text(node) for node in self.nodes))).lstrip(" :：")


def find_fields(page: Page) -> list[Found]:
    """Return every label of the page with its value, in the order of the document."""
    name = visible_text(page.heading) if page.heading else ""
    found: list[Found] = []
    taken: set[int] = set()
    for node in text_nodes(page.root):
        # A company may be called like a label; its name stands in titles and paths of the page as well.
        if id(node) in taken or visible_text(node) == name or node.find_parent(_NO_LABEL_WITHIN):
            continue
        if hit := _read(node):
            found.append(hit)
            taken.update(id(inner) for value in hit.nodes for inner in _texts(value))
    return found


def _texts(node: Node) -> Iterator[NavigableString]:
    if isinstance(node, Tag):
        yield from text_nodes(node)
    else:
        yield node


def _read(node: NavigableString) -> Found | None:
    text = visible_text(node)
    if field := field_of(text):
        return _beside(field, node)
    label, colon, value = text.partition(":")
    if colon and value.strip() and (field := field_of(label)) and _starts_line(node):
        rest = tuple(_rest_of_line(node, next_nodes(node)))
        parts = [value.strip(), *(visible_text(part) for part in rest)]
        return Found(field, node, (node, *rest), " ".join(parts))
    if field_of(text.rsplit(" ", 1)[0]) is Field.IDNO and _starts_line(node):
        return Found(Field.IDNO, node, (node,), text.rsplit(" ", 1)[1])
    return None


def _starts_line(node: NavigableString) -> bool:
    """A text that only goes on a line begun by another element announces nothing."""
    before = next((s for s in node.previous_siblings if visible_text(s)), None)  # type: ignore[arg-type]
    if before is None or (isinstance(before, Tag) and before.name not in INLINE_TAGS):
        return True
    return any(isinstance(s, Tag) and s.name == "br" for s in _between(before, node))


def _between(first: object, last: NavigableString) -> Iterator[object]:
    for sibling in last.previous_siblings:
        if sibling is first:
            return
        yield sibling


def _beside(field: Field, node: NavigableString) -> Found | None:
    """Find the value of a label that fills its own element: climb until something stands beside it."""
    place: Node = node
    while True:
        beside = next_nodes(place)
        if beside:
            return Found(field, place, tuple(_value(field, place, beside)))
        parent = place.parent
        if parent is None or visible_text(parent) != visible_text(node):
            return Found(field, place, ())
        if _below := _column(parent):
            return Found(field, parent, (_below,))
        if isinstance(place, Tag) and _has_blank_slot(place):
            return Found(field, place, ())
        place = parent


def _has_blank_slot(place: Tag) -> bool:
    """An empty element of the value's kind after the label: the value is blank, nothing further up is it."""
    if place.parent is not None and place.parent.name in _LABEL_TAGS:
        return False  # an icon beside the label's text
    return any(isinstance(sibling, Tag) and sibling.name not in ("br", "i", "hr") for sibling in place.next_siblings)


def _column(cell: Tag) -> Tag | None:
    """The cell below a column's head, where the whole row is heads."""
    row = cell.parent
    if cell.name not in ("th", "td") or row is None or row.name != "tr":
        return None
    cells = row.find_all(("th", "td"), recursive=False)
    if len(cells) < 2 or not all(field_of(visible_text(head)) for head in cells):
        return None
    below = row.find_next("tr")
    values = below.find_all(("th", "td"), recursive=False) if below else []
    return values[cells.index(cell)] if len(values) == len(cells) else None


def _value(field: Field, place: Node, beside: Sequence[Node]) -> Iterator[Node]:
    if isinstance(place, Tag) and place.name == "dt":
        yield from takewhile(lambda node: not (isinstance(node, Tag) and node.name == "dt"), beside)
    elif isinstance(place, Tag) and place.name in ("th", "td") and (below := _column(place)) is not None:
        yield below
    elif field in LIST_FIELDS:
        yield from takewhile(lambda node: not _ends_list(place, beside[0], node), beside)
    elif _is_label(beside[0], place):
        return
    elif isinstance(beside[0], Tag) and beside[0].name not in INLINE_TAGS:
        yield beside[0]
    elif isinstance(beside[0], Tag) and visible_text(beside[0]).strip(" :"):
        yield beside[0]
    else:
        yield from _rest_of_line(place, beside)


def _rest_of_line(place: Node, beside: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes up to a line break, a block or the next label."""
    yielded = {id(node) for node in beside}
    for sibling in place.next_siblings:
        if isinstance(sibling, Tag) and (sibling.name == "br" or sibling.name not in INLINE_TAGS):
            return
        if id(sibling) in yielded:
            if _is_label(sibling, place):  # type: ignore[arg-type]
                return
            yield sibling  # type: ignore[misc]


def _is_label(node: Node, place: Node) -> bool:
    """Tell whether a sibling of a label (or of its value) is the next label, one we know or not."""
    text = visible_text(node)
    if field_of(text) is not None:
        return True
    if not isinstance(node, Tag):
        return False
    alike = isinstance(place, Tag) and shape(node) == shape(place) and place.name in _LABEL_TAGS
    return alike or (node.name in _LABEL_TAGS and text.endswith(":"))


def _ends_list(place: Node, first: Node, node: Node) -> bool:
    """A list of parties goes on to the next heading, label or field of its level."""
    if _announces(visible_text(node)):
        return True
    if not isinstance(node, Tag) or not isinstance(place, Tag):
        return False
    if node.name in HEADINGS:
        return True
    # What looks like the label, where the values do not, is a label that we do not know.
    told_apart = place.name in _LABEL_TAGS or not isinstance(first, Tag) or shape(first) != shape(place)
    if told_apart and shape(node) == shape(place):
        return True
    opening = next(text_nodes(node), None)
    return place.name not in INLINE_TAGS and opening is not None and _announces(visible_text(opening))


def _announces(text: str) -> bool:
    """Tell whether a text is or opens with the label of another field of the company."""
    field = field_of(text) or field_of(text.partition(":")[0])
    return field not in (None, Field.IDNO, Field.NAME)
