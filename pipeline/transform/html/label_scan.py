"""Search for the labels of a page, each with the value next to it. The search uses the vocabulary and the structure.

A label is a whole text that is in the vocabulary, or the part of a text before a colon or dash. The text of a value is
not searched for labels: it is data, and may imitate a label to deceive the reader.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from pipeline.transform.html.activity_tables import is_divided
from pipeline.transform.html.attribute_labels import find_attribute_labels
from pipeline.transform.html.columns import Column, columns_of, is_cell
from pipeline.transform.html.label_values import value_nodes
from pipeline.transform.html.labelled_value import LabelledValue as LabelledValue
from pipeline.transform.html.line_pairs import (
    end_of_line,
    may_state_several,
    read_label_without_colon,
    read_line_of_facts,
)
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node, PageTree
from pipeline.transform.html.past_sections import history_nodes
from pipeline.transform.html.subtitle import idno_in_sentence, line_block, subtitle_facts, subtitle_line
from pipeline.transform.html.value_lines import (
    LABEL_TAGS,
    NEVER_VALUE_TAGS,
    SEPARATORS,
    ends_with_line,
    lines_of,
    rest_of_line,
)
from pipeline.transform.html.value_places import find_value_places
from pipeline.transform.source_text import YEAR, fold
from pipeline.transform.vocabulary.activity_words import ALL_ACTIVITIES
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, label_in_line

_SECTION_HEADINGS = HEADINGS - {"h1"}
_LABEL_ONLY_TAGS = ("dt", "th", "caption", "legend")
_NO_LABEL_INSIDE = frozenset({"h1", "option", "dd"})
_NUMBER_AT_START = re.compile(r"[0-9]{13}(?![0-9])")
_LABEL_DEPTH = 4
_OPENS_PANEL = frozenset({"aria-expanded", "aria-controls"})


def find_labelled_values(page: PageTree) -> list[LabelledValue]:
    """Return every label of the page with its value, in document order."""
    return _Scan(page).hits


class _Scan:
    """One pass over the texts of a page. The texts of a value are passed over: they are not labels."""

    def __init__(self, page: PageTree) -> None:
        self.hits: list[LabelledValue] = []
        self._heading = page.heading
        self._name = fold(page.heading.text) if page.heading else ""
        self._places = find_value_places(page.root)
        self._in_attributes = find_attribute_labels(page.root, page.heading.text if page.heading else "")
        self._value_leaves: set[int] = set()
        self._statement_leaves: set[int] = set()
        self._last_label_end = 0
        for leaf in page.root.leaves():
            self._read(leaf)

    def _read(self, leaf: Node) -> None:
        if leaf.start <= self._last_label_end or leaf.start in self._value_leaves:
            return
        if leaf.start not in self._statement_leaves and (line := _subtitle_hits(leaf, self._heading)):
            self.hits += line
            self._last_label_end = line[0].label.end
        elif leaf.start in self._places.values and not _is_name_or_link(leaf, self._name):
            label, nodes = self._places.values[leaf.start]
            if field := field_of(label.text):
                self._add(LabelledValue(field, label, nodes))
        elif leaf.start in self._places.leaves:
            return
        elif hit := self._in_attributes.get(leaf.start):
            self._add(hit)
        elif not _cannot_be_label(leaf, self._name):
            self._read_text(leaf)

    def _read_text(self, leaf: Node) -> None:
        if may_state_several(leaf) and _can_start_line(leaf) and (facts := read_line_of_facts(leaf)):
            for fact in facts:
                self._add(fact)
            self._last_label_end = max(self._last_label_end, end_of_line(leaf))
        elif hit := _table_of_people(leaf) or _read_leaf(leaf):
            self._add(hit)

    def _add(self, hit: LabelledValue) -> None:
        if hit.field is Field.OTHER and (table := _table_of_all_activities(hit)):
            licensed, unlicensed = (
                replace(hit, field=field, nodes=table) for field in (Field.LICENSED, Field.UNLICENSED)
            )
            self.hits.append(licensed)
            hit = unlicensed
        if hit.label.start in self._statement_leaves and hit.field not in FIGURE_FIELDS:
            return
        self.hits.append(hit)
        if hit.name is None:
            self._last_label_end = max(self._last_label_end, hit.label.end)
        leaves = self._statement_leaves if hit.field is Field.STATEMENTS else self._value_leaves
        nodes = history_nodes(hit) if hit.field is Field.HISTORY else hit.nodes
        leaves.update(inner.start for value in nodes for inner in value.leaves())


def _is_name_or_link(leaf: Node, name: str) -> bool:
    """Tell whether a text is the company's name or a link, which are never labels."""
    return fold(leaf.text) == name or leaf.ancestor("h1", "option") is not None or _is_in_link(leaf)


def _is_in_link(leaf: Node) -> bool:
    """Tell whether a text is in a link that leads to another page, not in one that opens a panel."""
    return any(map(_is_link, leaf.ancestors()))


def _is_link(node: Node) -> bool:
    return node.tag == "a" and _OPENS_PANEL.isdisjoint(node.attributes)


def _subtitle_hits(leaf: Node, heading: Node | None) -> list[LabelledValue]:
    """Return the facts without labels in the line that a text begins; [] above the heading.

        <p>SRL · IDNO 1020999000019 · înregistrată la 12 martie 2015</p>

    → three hits with the `p` as their label
    """
    if heading is None or leaf.start < heading.end or (block := line_block(leaf)) is None:
        return []
    is_labelled = field_of(leaf.text) is not None or label_in_line(leaf.text) is not None
    if is_labelled and any(node.tag == "br" for node in block.descendants()):
        return []  # lines with a label each
    line = subtitle_line(block)
    if facts := subtitle_facts(line):
        hits = [LabelledValue(field, block, (), text) for field, text in facts]
    elif not is_labelled and (number := idno_in_sentence(line, heading.text)):
        hits = [LabelledValue(Field.IDNO, block, (), number)]
    else:
        return []
    return [] if _is_value_of_unknown_label(leaf) else hits


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


def _table_of_all_activities(hit: LabelledValue) -> tuple[Node, ...]:
    """Return the table of a label of activities if a column tells which of them are licensed, else ().

        <h2>Genuri de activitate</h2>
        <table><tr><th>Denumire</th><th>Licențiată</th></tr>…</table>

    → (table,)
    """
    if hit.text is not None or fold(hit.caption).rstrip(" :0123456789()") not in ALL_ACTIVITIES:
        return ()
    table = hit.label.ancestor("table")
    if is_cell(hit.label) and table is not None:
        is_titled = any(node.tag in _SECTION_HEADINGS for node in hit.label.page[: table.start])
        nodes: tuple[Node, ...] = () if is_titled else (table,)
    elif hit.label.tag == "caption" and table is not None:
        nodes = (table,)
    else:
        nodes = value_nodes(Field.LICENSED, hit.label)
    return nodes if is_divided(nodes) else ()


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
    node = leaf.parent
    while node is not None:
        if node.tag in _NO_LABEL_INSIDE or (node.tag == "td" and _is_value_cell(node)) or _is_link(node):
            return True
        node = node.parent
    return False


def _is_value_cell(cell: Node) -> bool:
    """Tell whether a cell contains the value of the header before it; such a cell is not a label, whatever its text.

        <tr><th>Observații</th><td>Adresa: str. Falsă, 1</td></tr>
        <tr><td>până la 04.05.2019</td><td>Adresa</td><td>str. Veche, 1</td></tr>

    → True for the first `td` of the first line, and for "Adresa"
    """
    before = [sibling for sibling in cell.preceding_siblings() if is_cell(sibling)]
    if len(before) % 2 == 0:
        return False
    if before[0].tag == "th" or field_of(before[0].text) is not None:
        return True
    # A number in the first cell is that of the row. The value of a cell with a longer text is in the second cell.
    has_more = any(is_cell(sibling) for sibling in cell.following_siblings())
    is_number = not before[0].text.strip(" .").strip("0123456789")
    return has_more and not is_number and "rowspan" not in before[0].attributes


def _read_leaf(leaf: Node) -> LabelledValue | None:
    """Return the label that starts at a text, with its value, or None."""
    label = _label_element(leaf)
    if label is not None and (field := field_of(label.text)):
        return LabelledValue(field, label, value_nodes(field, label))
    return _read_label_and_value(leaf) if _can_start_line(leaf) else None


def _can_start_line(leaf: Node) -> bool:
    return _starts_line(leaf) and not _is_value_of_unknown_label(leaf)


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
    if labelled := read_label_without_colon(leaf.text):
        field, _, value = labelled
        return LabelledValue(field, leaf, (), value)
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
        if field not in LIST_FIELDS and parent.text[-1:].isdigit() and not label.text[-1:].isdigit():
            break  # the number is not a count of entries, but the value: "Adresa" "0"
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
        and not YEAR.search(first.text)  # a text with a year is the title of the figures of this year
        and not (any(node.tag in HEADINGS for node in inside))
        and not _announces_list(leaf)
    )
