"""Search for the labels of a page, each with the value next to it. The search uses the vocabulary and the structure.

A label is a whole text that is in the vocabulary, or the part of a text before a colon or dash. The text of a value is
not searched for labels: it is data, and may imitate a label to deceive the reader.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from pipeline.transform.html.columns import Column, columns_of, is_cell
from pipeline.transform.html.label_values import value_nodes
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node, PageTree, lines_in, text_of
from pipeline.transform.html.value_lines import (
    LABEL_TAGS,
    NEVER_VALUE_TAGS,
    SEPARATORS,
    ends_with_line,
    lines_of,
    rest_of_line,
)
from pipeline.transform.source_text import fold, parse_date
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, is_action, label_in_line

_SECTION_HEADINGS = HEADINGS - {"h1"}
_LABEL_ONLY_TAGS = ("dt", "th", "caption", "legend")
_NO_LABEL_INSIDE = frozenset({"h1", "option", "dd"})
_NUMBER_AT_START = re.compile(r"[0-9]{13}(?![0-9])")
_NUMBER_AT_END = re.compile(r"(.*?)[\s:：№#–—-]*\b([0-9]{13})")
_LABEL_DEPTH = 4


@dataclass(frozen=True)
class LabelledValue:
    """A label found on the page, with the nodes of its value; this package calls it a hit.

    `label` is the element or text node that contains the label. If the value starts in the same text node as the label,
    `text` is the part of the value in this node.

        <p><b>Adresa:</b> str. Pilda, 1</p>
        <p>Adresa: MD-2001, <i>Chișinău</i></p>

    → LabelledValue(ADDRESS, b, (text,)) and LabelledValue(ADDRESS, text, (i,), "MD-2001, ")
    """

    field: Field
    label: Node
    nodes: tuple[Node, ...]
    text: str | None = None

    @cached_property
    def value(self) -> str:
        """The value as text, without the links for actions at its end.

            <dd>str. Pilda, 1 <a href="/map">Vezi pe hartă</a></dd>

        → "str. Pilda, 1"
        """
        leaves = [leaf for node in self.nodes for leaf in node.leaves()]
        excluded: list[Node] = []
        while len(leaves) > 1 - bool(self.text) and is_action(leaves[-1].text):
            excluded.append(leaves.pop())
        return f"{self.text or ''}{text_of(self.nodes, excluded)}".strip().lstrip(" :：")

    @property
    def lines(self) -> list[str]:
        """The lines of a value that starts in the text of its label.

            <p>Fondatori: MODELEANU ION<br>EXEMPLESCU MARIA</p>

        → ["MODELEANU ION", "EXEMPLESCU MARIA"]
        """
        first, *others = lines_in(self.nodes)
        return [f"{self.text or ''}{text_of(first)}", *filter(None, map(text_of, others))]


def find_labelled_values(page: PageTree) -> list[LabelledValue]:
    """Return every label of the page with its value, in document order."""
    name = fold(page.heading.text) if page.heading else ""
    hits: list[LabelledValue] = []
    last_label_end = 0
    value_leaves: set[int] = set()
    statement_leaves: set[int] = set()
    for leaf in page.root.leaves():
        if leaf.start <= last_label_end or leaf.start in value_leaves or _cannot_be_label(leaf, name):
            continue
        hit = _table_of_people(leaf) or _read_leaf(leaf)
        if hit is None or (leaf.start in statement_leaves and hit.field not in FIGURE_FIELDS):
            continue
        hits.append(hit)
        last_label_end = max(last_label_end, hit.label.end)
        leaves = statement_leaves if hit.field is Field.STATEMENTS else value_leaves
        leaves.update(inner.start for value in hit.nodes for inner in value.leaves())
    return hits


def _table_of_people(leaf: Node) -> LabelledValue | None:
    """Return a table with columns for names and roles as the value of its header, if no title precedes it.

        <table><tr><th>Nume</th><th>Rol</th></tr>
        <tr><td>MODELEANU ION</td><td>Fondator</td></tr></table>

    → LabelledValue(PEOPLE, tr, (table,)) for the text "Nume"
    """
    cell = leaf.parent
    row = cell.parent if cell is not None and is_cell(cell) else None
    table = row.ancestor("table") if row is not None else None
    if row is None or table is None or next(table.leaves(), None) is not leaf:
        return None
    columns = columns_of([child for child in row.children if is_cell(child)]) or []
    if Column.NAME not in columns or Column.ROLE not in columns:
        return None
    is_titled = any(node.tag in _SECTION_HEADINGS for node in leaf.page[: row.start])
    return None if is_titled else LabelledValue(Field.PEOPLE, row, (table,))


def _cannot_be_label(leaf: Node, name: str) -> bool:
    """Tell whether a text cannot be a label: it is the company's name, a link, or the value of an unknown label.

        <h1>Administrator: FALS ION</h1>
        <a href="/contacte">Adresa</a>
        <tr><th>Observații</th><td>Adresa: str. Falsă, 1</td></tr>

    → True for the texts of `h1`, `a` and `td`. `name` is the folded text of the heading.
    """
    text = fold(leaf.text)
    if name and (text == name or (text.startswith(name) and field_of(text) is None)):
        return True
    for node in leaf.ancestors():
        if node.tag in _NO_LABEL_INSIDE:
            return True
        if node.tag == "a" and not {"aria-expanded", "aria-controls"} & node.attributes.keys():
            return True
        if node.tag == "td" and _is_value_cell(node):
            return True
    return False


def _is_value_cell(cell: Node) -> bool:
    """Tell whether a cell contains the value of the header before it; such a cell is not a label, whatever its text.

        <tr><th>Observații</th><td>Adresa: str. Falsă, 1</td></tr>

    → True for `td`
    """
    before = [sibling for sibling in cell.preceding_siblings() if is_cell(sibling)]
    if len(before) % 2 == 0:
        return False
    return before[0].tag == "th" or field_of(before[0].text) is not None


def _read_leaf(leaf: Node) -> LabelledValue | None:
    """Return the label that starts at a text, with its value, or None."""
    label = _label_element(leaf)
    if label is not None and (field := field_of(label.text)):
        return LabelledValue(field, label, value_nodes(field, label))
    if not _starts_line(leaf) or _is_value_of_unknown_label(leaf):
        return None
    return _read_label_and_value(leaf)


def _read_label_and_value(leaf: Node) -> LabelledValue | None:
    """Read a label and its value from the same text.

        <p>Adresa: str. Pilda, 1</p>
        <p>IDNO 1020999000019</p>
        <p>Data înregistrării 09.07.2020</p>

    → one hit each. Without a colon or dash after the label, only an IDNO or a date is read.
    """
    if line := label_in_line(leaf.text):
        field, value = line
        rest = (
            lines_of(leaf, leaf.following_siblings())
            if field in LIST_FIELDS
            else rest_of_line(leaf, leaf.following_siblings())
        )
        if field is Field.ADDRESS and not ends_with_line(leaf, [leaf, *rest], leaf.following_siblings()):
            return LabelledValue(field, leaf, ())  # where the value ends in the next lines is uncertain
        space = " " if rest and leaf.raw[-1:].isspace() else ""
        if number := _NUMBER_AT_START.match(value) if field is Field.IDNO else None:
            return LabelledValue(field, leaf, (), number[0])
        return LabelledValue(field, leaf, tuple(rest), value.strip() + space)
    if (match := _NUMBER_AT_END.fullmatch(leaf.text)) and field_of(match[1]) is Field.IDNO:
        return LabelledValue(Field.IDNO, leaf, (), match[2])
    words = leaf.text.split() if len(leaf.text) < LABEL_LENGTH else []
    for count in range(1, min(6, len(words))):
        opening, value = " ".join(words[:count]), " ".join(words[count:])
        if field_of(opening) is Field.REGISTERED_ON and parse_date(value):
            return LabelledValue(Field.REGISTERED_ON, leaf, (), value)
    return None


def _announces_list(leaf: Node) -> bool:
    """Tell whether a text starts with the label of a list.

        <p>Fondatori: MODELEANU ION; EXEMPLESCU MARIA</p>

    → True
    """
    line = label_in_line(leaf.text)
    return line is not None and line[0] in LIST_FIELDS


def _label_element(leaf: Node) -> Node | None:
    """Return the largest element that starts at `leaf` and contains only a label; None if there is no such element.

        <p><b><span>Adresa</span>:</b> str. Pilda, 1</p>

    → the `b`. Inside `dt`, `th`, `caption` and `legend`, the text of the whole element must be a label.
    """
    whole = leaf.ancestor(*_LABEL_ONLY_TAGS)
    if whole is not None:
        return _widest_label_element(whole) if field_of(whole.text) else None
    node = leaf
    for _ in range(_LABEL_DEPTH):
        if len(node.text) > LABEL_LENGTH:
            return None
        if field_of(node.text):
            return _widest_label_element(node)
        if node.parent is None or not all(child.is_inline for child in node.parent.children):
            return None
        node = node.parent
    return None


def _widest_label_element(label: Node) -> Node:
    """Return the largest element around a label that contains neither other text nor the label's blank value.

        <p><b>Adresa</b></p> <p>str. Pilda, 1</p>
        <div><span>Adresa</span><span></span></div>

    → the first `p`, and the first `span`; not the `div`, because the second `span` is the blank value
    """
    field = field_of(label.text)
    while (
        not is_cell(label)
        and (parent := label.parent) is not None
        and len(parent.text) <= LABEL_LENGTH
        and field_of(parent.text) is field
    ):
        if parent.tag not in LABEL_TAGS and any(
            _is_blank_value(sibling) for sibling in label.following_siblings()
        ):
            break
        label = parent
    return label


def _is_blank_value(node: Node) -> bool:
    """Tell whether an element after a label shows that the label has no value.

        <span>Adresa</span><span>—</span>

    → True for the second `span`
    """
    return (
        node.tag != TEXT
        and node.tag not in NEVER_VALUE_TAGS
        and not any(letter.isalnum() for letter in node.text)
    )


def _starts_line(leaf: Node) -> bool:
    """Tell whether a text is at the beginning of its line. (A text in the middle of a line is never a label.)

        <p><span>Se caută</span> <span>Adresa: str. Alta, 1</span></p>

    → False for the second text
    """
    for sibling in leaf.preceding_siblings():
        if sibling.tag == "br" or not sibling.is_inline:
            return True
        if sibling.text.strip(SEPARATORS):
            return False
    parent = leaf.parent
    return parent is None or not parent.is_inline or _starts_line(parent)


def _is_value_of_unknown_label(leaf: Node) -> bool:
    """Tell whether a text is the value of an unknown label: the second of exactly two blocks, after a short text.

        <div><div>Observații</div><div>Adresa: str. Falsă, 1</div></div>

    → True for the second text
    """
    block = leaf
    while block.parent is not None and (block.is_inline or block.parent.text == leaf.text):
        block = block.parent
    siblings = block.parent.children if block.parent else []
    # Three siblings are enough: a third one means False. An element may have thousands of children, and this function
    # runs for each.
    shown = list(islice((sibling for sibling in siblings if sibling.text.strip(SEPARATORS)), 3))
    if len(shown) != 2 or shown[1] is not block:
        return False
    first = shown[0]
    inside: Sequence[Node] = (first, *first.descendants())
    return (
        ":" not in first.text.strip(SEPARATORS)
        and len(first.text) <= LABEL_LENGTH
        and not (any(node.tag in HEADINGS for node in inside))
        and not _announces_list(leaf)
    )
