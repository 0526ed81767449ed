"""The year of a statement: what the titles above a figure say, by level and by what they stand in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, Node
from pipeline.transform.json.statements import YEARS
from pipeline.transform.source_text import fold
from pipeline.transform.vocabulary.field import FIGURES
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of

_TITLE_TAGS = ("caption", "legend", "summary")
_LOOSE = 7
"""The level of a title that is no heading: below all that are."""
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_STATEMENT = re.compile(
    r"situati[ia]|financ|bilant|indicator|raport|rezultate|profit si pierdere"
    r"|отчет|финанс|баланс|показател|результат|statement|balance|figures|results|report"
)
_YEAR_ALONE = re.compile(
    r"(?:anul(?: de gestiune| financiar)?|an|pentru anul|за|год|отчетный год|year|financial year|fy)?"
    r"[\s:,–—-]*(?:19|20)\d\d(?:[\s,]*(?:г\.?|год|mdl|lei|\((?:mdl|lei)\)))?"
)
_NOT_A_WHOLE_YEAR = re.compile(
    r"trim|semestr|luni\b|luna|квартал|полугод|месяц|quarter|half|month|\bq[1-4]\b|\bh[12]\b|[1-4] ?кв"
    r"|actualiz|publicat|depus|обновл|опублик|updated|published|as of|\d{4}\s*[/–—-]\s*\d{2}(?!\d)|ani\b|годы|years"
)
_DAY = re.compile(r"(?<!\d)\d{1,2}[./]\d{1,2}[./](?=\d{4})")
_LAST_DAY = re.compile(r"31[./]12[./]")
_YEAR_CELL = re.compile(
    r"(?:anul |за |на |la )?(?:31[./]12[./])?((?:19|20)\d\d)(?: ?(?:г\.?|год|an))?[, ]*\(?(?:mdl|lei)?\)?"
)


@dataclass(frozen=True)
class Title:
    """A text above others: its level (1 to 6 for headings), and what it stands in."""

    node: Node
    level: int
    container: Node

    def is_over(self, node: Node) -> bool:
        """Tell whether a node stands in the title's container, below it."""
        return self.container.holds(node) and node.start > self.node.end

    @property
    def names_year(self) -> bool:
        """Tell whether some year stands in it."""
        return _YEAR.search(self.node.text) is not None

    @property
    def year(self) -> int | None:
        """The one whole year that it says a statement is of."""
        return year_of_statement(self.node.text)


def year_of_statement(text: str) -> int | None:
    """Return the year that a title of a statement names; None unless it is one, and a whole one."""
    folded = fold(text)
    years = {int(year) for year in _YEAR.findall(folded)}
    days = _DAY.findall(folded)
    if len(years) != 1 or _NOT_A_WHOLE_YEAR.search(folded) or not all(map(_LAST_DAY.fullmatch, days)):
        return None
    if not (_STATEMENT.search(folded) or _YEAR_ALONE.fullmatch(folded.strip(" .:"))):
        return None
    year = years.pop()
    return year if year in YEARS else None


def year_of_column(text: str) -> int | None:
    """Return the year that the head of a column (or of a row) is, None if it is none."""
    match = _YEAR_CELL.fullmatch(fold(text)) if len(text) <= LABEL_LENGTH else None
    return int(match[1]) if match and int(match[1]) in YEARS else None


def titles_in(root: Node, hits: Sequence[LabelledValue], *, after: Node) -> list[Title]:
    """Return the titles on a page that stand after a node and over one of the hits, in order."""
    titles: dict[int, Title] = {}
    for leaf in root.leaves():
        if leaf.start <= after.end or len(leaf.text) > LABEL_LENGTH:
            continue
        node, level = _title_of(leaf)
        if node is None or field_of(node.text) in FIGURES:
            continue
        if container := _container(node, hits):
            titles[node.start] = Title(node, level, container)
    return list(titles.values())


def _title_of(leaf: Node) -> tuple[Node | None, int]:
    heading = leaf.within(*HEADINGS, *_TITLE_TAGS)
    if heading is not None:
        level = int(heading.tag[1]) if heading.tag in HEADINGS else _LOOSE
        return (heading if len(heading.text) <= LABEL_LENGTH else None), level
    if _YEAR.search(leaf.text) is None or not _is_own_row(leaf):
        return None, _LOOSE
    node = leaf
    while node.parent is not None and node.parent.text == leaf.text:
        node = node.parent
    return (node if node.is_block else None), _LOOSE


def _is_own_row(leaf: Node) -> bool:
    """A cell is a title where it is alone in its row."""
    cell = next((node for node in leaf.ancestors() if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    return row is None or not is_row(row) or sum(1 for other in row.children if other.text) == 1


def _container(title: Node, hits: Iterable[LabelledValue]) -> Node | None:
    """The smallest element around a title that holds a figure below it."""
    places = [hit.place for hit in hits if hit.place.start > title.end]
    return next((node for node in title.ancestors() if any(map(node.holds, places))), None)


def in_force(titles: Sequence[Title], node: Node) -> list[Title]:
    """Return the titles that a node stands under, the nearest first."""
    over = [title for title in titles if title.is_over(node)]
    # A title ends where the next of its own or a higher level begins.
    kept = [
        title
        for i, title in enumerate(over)
        if all(later.level > title.level for later in over[i + 1 :] if title.container.holds(later.node))
    ]
    return kept[::-1]
