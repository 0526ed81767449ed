"""The labels of a page, each with what stands beside it: by structure alone, no class names, any layout.

A label is a text that as a whole is one of `labels`, in a place of its own, or the start of a text up to
its colon. Once read, a value is no place to look for labels (it is data, and may be hostile).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from pipeline.transform.html.columns import is_cell
from pipeline.transform.html.label_values import (
    LABEL_TAGS,
    MARKS,
    NO_SLOT,
    ends_with_line,
    lines_of,
    rest_of_line,
    value_beside,
)
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node, PageTree, text_of
from pipeline.transform.source_text import fold, parse_date
from pipeline.transform.vocabulary.field import FIGURES, LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, is_action, label_in_line

_WHOLE_TAGS = ("dt", "th", "caption", "legend")
_NOT_LABELS_WITHIN = frozenset({"h1", "option", "dd"})
_NUMBER_AT_START = re.compile(r"[0-9]{13}(?![0-9])")
_NUMBER_AT_END = re.compile(r"(.*?)[\s:：№#–—-]*\b([0-9]{13})")
_LABEL_DEPTH = 4


@dataclass(frozen=True)
class LabelledValue:
    """A label on the page with the nodes of its value.

    `place` is the node that holds the label; `text` the value's beginning if it stands in the label's own text.
    """

    field: Field
    place: Node
    nodes: tuple[Node, ...]
    text: str | None = None

    @cached_property
    def value(self) -> str:
        """The value as text, without the links of the site at its end ("Vezi pe hartă")."""
        leaves = [leaf for node in self.nodes for leaf in node.leaves()]
        left_out: list[Node] = []
        while len(leaves) > 1 - bool(self.text) and is_action(leaves[-1].text):
            left_out.append(leaves.pop())
        return f"{self.text or ''}{text_of(self.nodes, left_out)}".strip().lstrip(" :：")


def find_fields(page: PageTree) -> list[LabelledValue]:
    """Return every label of the page with its value, in the order of the document."""
    name = fold(page.heading.text) if page.heading else ""
    found: list[LabelledValue] = []
    read_to = 0
    taken: set[int] = set()
    of_statements: set[int] = set()
    for leaf in page.root.leaves():
        if leaf.start <= read_to or leaf.start in taken or _is_no_label(leaf, name):
            continue
        hit = _read(leaf)
        if hit is None or (leaf.start in of_statements and hit.field not in FIGURES):
            continue
        found.append(hit)
        read_to = max(read_to, hit.place.end)
        values = of_statements if hit.field is Field.STATEMENTS else taken
        values.update(inner.start for value in hit.nodes for inner in value.leaves())
    return found


def _is_no_label(leaf: Node, name: str) -> bool:
    """Names, links and values of unknown labels may look like a label."""
    text = fold(leaf.text)
    if name and (text == name or (text.startswith(name) and field_of(text) is None)):
        return True
    for node in leaf.ancestors():
        if node.tag in _NOT_LABELS_WITHIN:
            return True
        if node.tag == "a" and not {"aria-expanded", "aria-controls"} & node.attributes.keys():
            return True
        if node.tag == "td" and _is_value_cell(node):
            return True
    return False


def _is_value_cell(cell: Node) -> bool:
    """The cell beside a row's head holds a value, even if it looks like a label."""
    before = [sibling for sibling in cell.before() if is_cell(sibling)]
    if len(before) % 2 == 0:
        return False
    return before[0].tag == "th" or field_of(before[0].text) is not None


def _read(leaf: Node) -> LabelledValue | None:
    place = _label_place(leaf)
    if place is not None and (field := field_of(place.text)):
        return LabelledValue(field, place, value_beside(field, place))
    if not _starts_line(leaf) or _is_second_of_two(leaf):
        return None
    return _read_line(leaf)


def _read_line(leaf: Node) -> LabelledValue | None:
    """Read a label with its value in the same text."""
    if line := label_in_line(leaf.text):
        field, value = line
        rest = lines_of(leaf, leaf.after()) if field in LIST_FIELDS else rest_of_line(leaf, leaf.after())
        if field is Field.ADDRESS and not ends_with_line(leaf, [leaf, *rest], leaf.after()):
            return LabelledValue(field, leaf, ())  # it goes on below, nobody knows how far
        space = " " if rest and leaf.raw[-1:].isspace() else ""
        if number := _NUMBER_AT_START.match(value) if field is Field.IDNO else None:
            return LabelledValue(field, leaf, (), number[0])
        return LabelledValue(field, leaf, tuple(rest), value.strip() + space)
    if (match := _NUMBER_AT_END.fullmatch(leaf.text)) and field_of(match[1]) is Field.IDNO:
        return LabelledValue(Field.IDNO, leaf, (), match[2])
    words = leaf.text.split() if len(leaf.text) < LABEL_LENGTH else []
    for count in range(1, min(6, len(words))):
        label, value = " ".join(words[:count]), " ".join(words[count:])
        if field_of(label) is Field.REGISTERED_ON and parse_date(value):
            return LabelledValue(Field.REGISTERED_ON, leaf, (), value)
    return None


def _announces_list(leaf: Node) -> bool:
    line = label_in_line(leaf.text)
    return line is not None and line[0] in LIST_FIELDS


def _label_place(leaf: Node) -> Node | None:
    """Return the largest element that holds nothing but a label that `leaf` opens."""
    whole = leaf.within(*_WHOLE_TAGS)
    if whole is not None:
        return _widest(whole) if field_of(whole.text) else None
    node = leaf
    for _ in range(_LABEL_DEPTH):
        if len(node.text) > LABEL_LENGTH:
            return None
        if field_of(node.text):
            return _widest(node)
        if node.parent is None or not all(child.is_inline for child in node.parent.children):
            return None
        node = node.parent
    return None


def _widest(place: Node) -> Node:
    field = field_of(place.text)
    while (
        not is_cell(place)
        and (parent := place.parent) is not None
        and len(parent.text) <= LABEL_LENGTH
        and field_of(parent.text) is field
    ):
        if parent.tag not in LABEL_TAGS and any(_is_slot(sibling) for sibling in place.after()):
            break
        place = parent
    return place


def _is_slot(node: Node) -> bool:
    """An element after a label that says nothing is its blank value."""
    return node.tag != TEXT and node.tag not in NO_SLOT and not any(letter.isalnum() for letter in node.text)


def _starts_line(leaf: Node) -> bool:
    """A text that only goes on a line begun by another element announces nothing."""
    for sibling in leaf.before():
        if sibling.tag == "br" or not sibling.is_inline:
            return True
        if sibling.text.strip(MARKS):
            return False
    parent = leaf.parent
    return parent is None or not parent.is_inline or _starts_line(parent)


def _is_second_of_two(leaf: Node) -> bool:
    """A block that stands alone beside one other block is the value of a label that we do not know."""
    block = leaf
    while block.parent is not None and (block.is_inline or block.parent.text == leaf.text):
        block = block.parent
    siblings = block.parent.children if block.parent else []
    # The third says no: a page may have thousands, and each of them comes by here.
    shown = list(islice((sibling for sibling in siblings if sibling.text.strip(MARKS)), 3))
    if len(shown) != 2 or shown[1] is not block:
        return False
    first = shown[0]
    inside: Sequence[Node] = (first, *first.descendants())
    return (
        ":" not in first.text.strip(MARKS)
        and len(first.text) <= LABEL_LENGTH
        and not (any(node.tag in HEADINGS for node in inside))
        and not _announces_list(leaf)
    )
