"""Search for the units that a page announces for its key figures: in titles, captions and notes around them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, Node
from pipeline.transform.html.statement_years import StatementTitle, titles_over
from pipeline.transform.money_units import Unit, units_in
from pipeline.transform.source_text import fold

_NOTE_LENGTH = 200
_ABOUT_ALL_AMOUNTS = re.compile(
    r"\b(?:sum[ea]|suml|valori|cifre|indicatori|toate|amounts?|figures|values|all|not[ae]\b|сумм|данны|показател|цифр|"
    r"все|примечан|единиц|unit|u\.? ?m\.?)"
)


@dataclass(frozen=True)
class _UnitNote:
    """A text outside of tables that announces a unit.

    It applies to the key figures in `container` below `title`, the nearest title above the note.
    """

    units: tuple[Unit, ...]
    container: Node
    title: StatementTitle | None
    is_general: bool

    def applies_to(self, label: Node, over: Sequence[StatementTitle]) -> bool:
        if self.is_general and (self.title is None or self.title not in over):
            return True
        return self.container.contains(label) and (self.title is None or self.title in over)


class FigureUnits:
    """The units that a page announces for its key figures."""

    def __init__(
        self,
        root: Node,
        hits: Sequence[LabelledValue],
        titles: Sequence[StatementTitle],
        rows: Sequence[Node],
    ) -> None:
        """Find the notes with a unit.

        Args:
            root: The page.
            hits: The labels of key figures.
            titles: The titles above them.
            rows: The rows that contain them; the units in a row count for this row only.
        """
        self._notes = list(_notes(root, hits, titles, rows))

    def around(self, label: Node, over: Sequence[StatementTitle]) -> list[Unit]:
        """Return the units in the titles above a label, and in the notes that apply to it.

            <h2>Situații financiare, 2024</h2>
            <p>Sume în mii lei</p>
            <table><tr><td>Total active</td><td>5 000</td></tr></table>

        → thousands of lei. `over`: the titles above the label.
        """
        found = [unit for title in over for unit in units_in(title.node.text, is_title=True)]
        return found + [unit for note in self._notes if note.applies_to(label, over) for unit in note.units]


def _notes(
    root: Node, hits: Sequence[LabelledValue], titles: Sequence[StatementTitle], rows: Sequence[Node]
) -> Iterator[_UnitNote]:
    """Yield the notes: short texts with a unit that are not titles, labels, values or cells of a table.

        <table>…</table><p>* Sume în mii lei</p>

    → the text of `p`
    """
    skipped = [
        *(title.node for title in titles),
        *(hit.label for hit in hits),
        *(node for hit in hits for node in hit.nodes),
        *rows,
    ]
    last_label = max(hit.label.end for hit in hits)
    heading: Node | None = None
    for leaf in root.leaves():
        heading = leaf.ancestor(*HEADINGS) or heading
        if len(leaf.text) > _NOTE_LENGTH or not (units := units_in(leaf.text)):
            continue
        if any(node.contains(leaf) for node in skipped) or _is_in_data_row(leaf):
            continue
        is_general = _ABOUT_ALL_AMOUNTS.search(fold(leaf.text)) is not None
        if heading is not None and heading.start > last_label and not is_general:
            continue  # a section of another subject, below the statements
        container = next(node for node in leaf.ancestors() if any(node.contains(hit.label) for hit in hits))
        title = next(iter(titles_over(titles, leaf)), None)
        if is_general and leaf.start > last_label:
            title = None  # a note below all amounts counts for all of them
        yield _UnitNote(units, container, title, is_general and _is_outside_statements(title, titles, hits))


def _is_outside_statements(
    title: StatementTitle | None, titles: Sequence[StatementTitle], hits: Sequence[LabelledValue]
) -> bool:
    """Tell whether no key figure is below the title of a note."""
    return title is not None and not any(title in titles_over(titles, hit.label) for hit in hits)


def _is_in_data_row(leaf: Node) -> bool:
    """Tell whether a text is in a table row with other texts.

        <tr><td>Contribuția, lei</td><td>5 400</td></tr>

    → True
    """
    cell = next((node for node in leaf.ancestors() if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    return row is not None and is_row(row) and sum(1 for other in row.children if other.text) > 1
