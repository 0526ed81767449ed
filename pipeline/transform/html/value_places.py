"""Search for values that do not follow their labels, by the page's own repetition.

Most pages show a label and then its value; `label_values.py` reads those. Here are the shapes in which the value stands
elsewhere: before its label, or at the same position of another row or column. A shape counts only if values of a type
that cannot be mistaken (an IDNO, a date, a status, a legal form) prove it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice, pairwise, takewhile

from pipeline.transform.html.columns import is_row
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.html.value_lines import SEPARATORS
from pipeline.transform.html.value_types import has_type_of
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of

_Shape = tuple[tuple[str, str], ...]
_MIN_IN_FLAT = 2
"""In an element without rows, two neighbours may both be the value of a label, so two proofs are needed."""


@dataclass
class ValuePlaces:
    """The values that stand elsewhere than after their labels.

    `values` maps the first text of a label to the label's element and the nodes of its value. The value of a label that
    has none for certain is (). `leaves` are the texts of all these values: none of them is a label.
    """

    values: dict[int, tuple[Node, tuple[Node, ...]]] = field(default_factory=dict)
    leaves: set[int] = field(default_factory=set)

    def put(self, label: Node, nodes: Sequence[Node]) -> None:
        """Record the value of a label."""
        first = next(label.leaves(), None)
        if first is not None and first.start not in self.values:
            self.values[first.start] = (label, tuple(node for node in nodes if node.text))
            self.exclude(nodes)

    def exclude(self, nodes: Sequence[Node]) -> None:
        """Record that the texts in `nodes` are not labels."""
        self.leaves.update(leaf.start for node in nodes for leaf in node.leaves())


@dataclass
class _Votes:
    """How many labels of a group have a value of their type after them, and before them."""

    after: int = 0
    before: int = 0

    def add(self, label: Field, *, after: str, before: str) -> None:
        """Count a label with the texts next to it."""
        if label in FIGURE_FIELDS and after and before:
            return  # an amount between two labels proves nothing
        self.after += bool(after) and len(after) <= LABEL_LENGTH and has_type_of(label, after) is True
        self.before += bool(before) and len(before) <= LABEL_LENGTH and has_type_of(label, before) is True

    @property
    def says_before(self) -> bool:
        """Whether the labels stand after their values."""
        return self.before > 0 and self.after == 0

    @property
    def is_contradictory(self) -> bool:
        """Whether some labels seem to stand before their values, and others after."""
        return self.before > 0 and self.after > 0


def find_value_places(root: Node) -> ValuePlaces:
    """Return the values of a page that do not follow their labels."""
    places = ValuePlaces()
    holders: dict[int, list[Node]] = {}
    for node in root.descendants():
        if not 0 < len(node.text) <= LABEL_LENGTH:
            continue
        parent = node.parent
        if parent is not None and len(parent.children) > 1 and field_of(node.text):
            holders.setdefault(parent.start, [parent]).append(node)
    ordered = [holders[start] for start in sorted(holders)]
    for node in _around_lines(ordered):
        _place_rows_and_columns(node, places)
    for holder, *labels in ordered:
        if len(labels) >= _MIN_IN_FLAT:
            _place_runs(holder, places)
    _place_before_labels_in_pairs([holder for holder, *_ in ordered], places)
    for holder, *labels in ordered:
        if len(labels) >= _MIN_IN_FLAT:
            _place_before_labels_in_flat(holder, places)
    return places


def _around_lines(holders: Sequence[Sequence[Node]]) -> Iterator[Node]:
    """Yield the elements around the rows and columns that contain several labels."""
    seen: set[int] = set()
    for line, *labels in holders:
        if len(labels) < _MIN_IN_FLAT:
            continue
        around = line.ancestor("table") if is_row(line) else line.parent
        while around is not None and len(around.children) == 1:
            around = around.parent
        if around is not None and around.start not in seen:
            seen.add(around.start)
            yield around


def _shown(node: Node) -> list[Node]:
    """Return the children that show more than separators."""
    return [child for child in node.children if child.text.strip(SEPARATORS)]


@dataclass(frozen=True)
class _Pair:
    """A row of two texts of which one is a label."""

    row: Node
    first: Node
    second: Node
    field: Field
    is_label_first: bool

    @property
    def shape(self) -> _Shape:
        return self.row.shape, self.first.shape, self.second.shape


def _pairs(elements: Sequence[Node]) -> Iterator[_Pair]:
    for row in elements:
        # Three children are enough to tell that the row is no pair. An element may have thousands of children.
        shown = list(islice((child for child in row.children if child.text.strip(SEPARATORS)), 3))
        if len(shown) != 2:
            continue
        first, second = field_of(shown[0].text), field_of(shown[1].text)
        if first is not None and second is None:
            yield _Pair(row, shown[0], shown[1], first, is_label_first=True)
        elif second is not None and first is None:
            yield _Pair(row, shown[0], shown[1], second, is_label_first=False)


def _place_before_labels_in_pairs(elements: Sequence[Node], places: ValuePlaces) -> None:
    """Place values that stand before their labels, in rows of the same shape.

        <div class="tile"><p>12.03.2015</p><p>Data înregistrării</p></div>
        <div class="tile"><p>str. Pilda, 1</p><p>Adresa</p></div>

    → "12.03.2015", and "str. Pilda, 1" because the first row proves the direction. Rows next to each other decide for
    themselves; rows that prove nothing follow the rows of the same shape elsewhere on the page.
    """
    pairs = list(_pairs(elements))
    groups: dict[tuple[int, _Shape], _Votes] = defaultdict(_Votes)
    shapes: dict[_Shape, _Votes] = defaultdict(_Votes)
    for pair in pairs:
        for votes in (groups[_group_of(pair)], shapes[pair.shape]):
            if pair.is_label_first:
                votes.add(pair.field, after=pair.second.text, before="")
            else:
                votes.add(pair.field, after="", before=pair.first.text)
    for pair in pairs:
        votes = groups[_group_of(pair)]
        if not (votes.after or votes.before):
            votes = shapes[pair.shape]
        if pair.is_label_first:
            if votes.says_before:
                places.exclude([pair.first])  # a value that reads like a label
        elif votes.says_before:
            places.put(pair.second, [pair.first])
        elif votes.is_contradictory:
            places.put(pair.second, ())


def _group_of(pair: _Pair) -> tuple[int, _Shape]:
    return (pair.row.parent.start if pair.row.parent else 0), pair.shape


def _place_before_labels_in_flat(node: Node, places: ValuePlaces) -> None:
    """Place values that stand before their labels in one element without rows.

        <dl><dd>12.03.2015</dd><dt>Data înregistrării</dt>
        <dd>SRL</dd><dt>Forma juridică</dt></dl>

    → "12.03.2015" and "SRL"
    """
    shown = _shown(node)
    if len(shown) < 2 * _MIN_IN_FLAT:
        return
    groups: dict[tuple[str, str], list[tuple[int, Field]]] = defaultdict(list)
    for i, child in enumerate(shown):
        if child.tag != TEXT and (label := field_of(child.text)):
            groups[child.shape].append((i, label))
    for labels in groups.values():
        votes = _Votes()
        for i, label in labels:
            before = shown[i - 1].text if i else ""
            votes.add(label, after=shown[i + 1].text if i + 1 < len(shown) else "", before=before)
        if votes.before < _MIN_IN_FLAT:
            continue
        shape = next(shown[i - 1].shape for i, label in labels if i and has_type_of(label, shown[i - 1].text))
        for i, _ in labels:
            value = _before(shown, i) if votes.says_before else []
            places.put(shown[i], value if value and value[-1].shape == shape else [])


def _before(shown: Sequence[Node], i: int) -> list[Node]:
    """Return the value before the label `shown[i]`; before a `dt`, all elements down to the previous `dt`."""
    if shown[i].tag == "dt":
        return list(takewhile(lambda node: node.tag != "dt", shown[:i][::-1]))[::-1]
    return [shown[i - 1]] if i and field_of(shown[i - 1].text) is None else []


def _place_rows_and_columns(node: Node, places: ValuePlaces) -> None:
    """Place values that stand in the row or column next to a row or column of labels.

        <ul><li>IDNO</li><li>Statut</li></ul>
        <ul><li>1020999000019</li><li>Activă</li></ul>

    → both values. If several rows of values follow, they describe several companies and no value is certain.
    """
    lines = [_cells(child) for child in _lines_of(node)]
    for i, (line, below) in enumerate(pairwise(lines)):
        following = lines[i + 2] if i + 2 < len(lines) else []
        is_last = len(following) != len(line) or _is_label_line(following)
        if _is_label_line(line) and is_last:
            _place_if_proved(line, below, places)
        elif (
            _is_label_line(below)
            and not (_is_label_line(line) or (i and _is_label_line(lines[i - 1])))
            and not _proves(below, following)  # the labels stand above their values
        ):
            _place_if_proved(below, line, places)


def _lines_of(node: Node) -> list[Node]:
    """Return the rows of a table, or the children of another element."""
    if node.tag != "table":
        return [child for child in node.children if child.tag not in (TEXT, "br") and child.text]
    return [inner for inner in node.descendants() if is_row(inner) and inner.ancestor("table") is node]


def _cells(line: Node) -> list[Node]:
    """Return the cells of a row or column."""
    while len(line.children) == 1 and line.children[0].tag != TEXT:
        line = line.children[0]
    return [child for child in line.children if child.tag != TEXT or child.text]


def _is_label_line(cells: Sequence[Node]) -> bool:
    """Tell whether a row or column consists of labels: at least two known ones, and not more unknown than known."""
    if len(cells) < 2 or any(len(cell.text) > LABEL_LENGTH for cell in cells):
        return False
    known = sum(1 for cell in cells if field_of(cell.text))
    return known >= 2 and 2 * known >= len(cells)


def _proves(labels: Sequence[Node], values: Sequence[Node]) -> bool:
    """Tell whether `values` are the values of `labels`: one has the type of its label, none another type."""
    if len(labels) != len(values) or any(field_of(value.text) for value in values):
        return False
    types = [
        has_type_of(known, value.text)
        for label, value in zip(labels, values, strict=True)
        if value.text.strip(SEPARATORS) and (known := field_of(label.text)) and known not in FIGURE_FIELDS
    ]
    return True in types and False not in types


def _place_if_proved(labels: Sequence[Node], values: Sequence[Node], places: ValuePlaces) -> None:
    if _proves(labels, values):
        for label, value in zip(labels, values, strict=True):
            if field_of(label.text):
                places.put(label, [value])
            places.exclude([value])


def _place_runs(node: Node, places: ValuePlaces) -> None:
    """Place values in a grid whose cells are all siblings: some labels, then as many values.

        <div><p>IDNO</p><p>Statut</p>
        <p>1020999000019</p><p>Activă</p></div>

    → both values
    """
    cells = _shown(node)
    if len(cells) < 2 * _MIN_IN_FLAT or any(cell.tag in HEADINGS for cell in cells[:1]):
        return
    runs = [
        (is_label, list(run))
        for is_label, run in groupby(cells, lambda cell: field_of(cell.text) is not None)
    ]
    for (is_label, labels), (_, values) in pairwise(runs):
        if is_label and len(labels) >= _MIN_IN_FLAT and len(labels) == len(values):
            _place_if_proved(labels, values, places)
