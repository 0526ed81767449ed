"""Search for the year of a statement, in the titles above a key figure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, Node
from pipeline.transform.money_units import without_units
from pipeline.transform.reading import STATEMENT_YEARS
from pipeline.transform.source_text import YEAR, fold
from pipeline.transform.vocabulary.field import FIGURE_FIELDS
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of

_TITLE_TAGS = ("caption", "legend", "summary")
_BELOW_HEADINGS = 7
"""The level of a title that is not a heading element; it is below the six levels of headings."""
_STATEMENT = re.compile(
    r"situati[ia]|financ|bilant|indicator|raport|rezultate|profit si pierdere"
    r"|отчет|финанс|баланс|показател|результат|statement|balance|figures|results|report"
)
_YEAR_ALONE = re.compile(
    r"(?:anul(?: de gestiune| financiar)?|an|pentru anul|exercitiul(?: financiar)?|за|год|отчетный год|year|"
    r"financial year|fy)?[\s:,–—-]*(?:19|20)\d\d(?:[\s,]*(?:г\.?|год|an))?"
)
_NOT_A_WHOLE_YEAR = re.compile(
    r"trim|semestr|luni\b|luna|квартал|полугод|месяц|quarter|half|month|\bq[1-4]\b|\bh[12]\b|[1-4] ?кв"
    r"|actualiz|publicat|depus|обновл|опублик|updated|published|as of|\d{4}\s*[/–—-]\s*\d{2}(?!\d)|ani\b|годы|years"
)
_DAY = re.compile(r"(?<!\d)\d{1,2}[./]\d{1,2}[./](?=\d{4})")
_LAST_DAY = re.compile(r"31[./]12[./]")
_YEAR_CELL = re.compile(
    r"(?:(?:pentru |in )?anul(?: de gestiune| financiar)? |an |exercitiul(?: financiar)? |за |на |la |at |as at |год |"
    r"(?:for )?(?:the )?(?:financial )?year |fy ?)?"
    r"(?:31[./]12[./]|31 (?:decembrie|dec\.?|декабря|дек\.?|december) )?((?:19|20)\d\d)(?:[-./]12[-./]31)?"
    r"(?:,? ?(?:г\.?|год|года|an))?"
)
_FOOTNOTE_MARKS = "*†‡¹²³"


@dataclass(frozen=True)
class StatementTitle:
    """A title on the page. `level` is 1 to 6 for headings, 7 for other titles.

    `container` is the element that the title applies to.
    """

    node: Node
    level: int
    container: Node

    def covers(self, node: Node) -> bool:
        """Tell whether the title applies to a node: the node is in the title's container, after the title."""
        return self.container.contains(node) and node.start > self.node.end

    @cached_property
    def names_year(self) -> bool:
        """Whether the title contains a year, even if it is not the year of a statement."""
        return YEAR.search(self.node.text) is not None

    @cached_property
    def year(self) -> int | None:
        """The year of the statement that the title announces; None if it does not name exactly one whole year."""
        return year_of_statement(self.node.text)


def year_of_statement(text: str) -> int | None:
    """Return the year of the statement that a title announces.

    Return None if the title does not announce a statement, or does not name exactly one whole year.

        <h2>Situații financiare, 2024</h2>
        <h2>Trimestrul I 2024: indicatori</h2>
        <h2>Știri 2024</h2>

    → 2024; None for the second (a quarter) and the third (news)
    """
    folded = fold(text)
    years = {int(year) for year in YEAR.findall(folded)}
    days = _DAY.findall(folded)
    if len(years) != 1 or _NOT_A_WHOLE_YEAR.search(folded) or not all(map(_LAST_DAY.fullmatch, days)):
        return None
    is_year = _YEAR_ALONE.fullmatch(without_units(text)) or year_of_column(text)
    if not (_STATEMENT.search(folded) or is_year):
        return None
    year = years.pop()
    return year if year in STATEMENT_YEARS else None


def year_of_column(text: str) -> int | None:
    """Return the year if the header of a column or row is a year, with or without a unit; else None.

        <th>2024, MDL</th>
        <th>31.12.2024</th>
        <th>2024 (mii lei)</th>

    → 2024 for all
    """
    return _year_of_short_column(text) if 4 <= len(text) <= LABEL_LENGTH else None


@lru_cache(maxsize=4096)
def _year_of_short_column(text: str) -> int | None:
    if YEAR.search(text) is None:
        return None
    match = _YEAR_CELL.fullmatch(without_units(text.rstrip(_FOOTNOTE_MARKS)))
    return int(match[1]) if match and int(match[1]) in STATEMENT_YEARS else None


def titles_in(root: Node, hits: Sequence[LabelledValue], *, after: Node) -> list[StatementTitle]:
    """Return the titles after the node `after` that are above at least one of the hits, in document order.

        <h2>Situații financiare, 2024</h2>
        <table><caption>Bilanț</caption><tr><td>Total active</td>…</tr></table>

    → the `h2` and the `caption`
    """
    titles: dict[int, StatementTitle] = {}
    for leaf in root.leaves():
        if leaf.start <= after.end or len(leaf.text) > LABEL_LENGTH:
            continue
        node, level = _title_of(leaf)
        if node is None or field_of(node.text) in FIGURE_FIELDS:
            continue
        container = node.parent if node.is_inline else _container(node, hits)
        if container and (node.is_block or _container(node, hits) is container):
            titles[node.start] = StatementTitle(node, level, container)
    return list(titles.values())


def _title_of(leaf: Node) -> tuple[Node | None, int]:
    """Return the element of the title that a text belongs to (or None), with its level.

    A title is a heading, a caption or legend, a block whose text contains a year, or a year that opens a block.

        <div>Bilanț la 31.12.2024</div>
        <p>Total active: 5 000 MDL</p>
        <div><span>2024</span><p>Total active: 5 000 MDL</p></div>

    → (div, 7) for the first text, (None, 7) for the second, (span, 7) for the third
    """
    heading = leaf.ancestor(*HEADINGS, *_TITLE_TAGS)
    if heading is not None:
        level = int(heading.tag[1]) if heading.tag in HEADINGS else _BELOW_HEADINGS
        return (heading if len(heading.text) <= LABEL_LENGTH else None), level
    if YEAR.search(leaf.text) is None or not _is_own_row(leaf):
        return None, _BELOW_HEADINGS
    node = leaf
    while node.parent is not None and node.parent.text == leaf.text:
        node = node.parent
    opens = node.parent is not None and node.parent.children[0] is node and node.parent.is_block
    return (node if node.is_block or (opens and year_of_column(node.text)) else None), _BELOW_HEADINGS


def _is_own_row(leaf: Node) -> bool:
    """Tell whether a text is outside of tables, or is the only text of its table row.

        <tr><td colspan="2">Bilanț 2024</td></tr>
        <tr><td>Anul</td><td>2024</td></tr>

    → True for the first row, False for the second
    """
    cell = next((node for node in leaf.ancestors() if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    return row is None or not is_row(row) or sum(1 for other in row.children if other.text) == 1


def _container(title: Node, hits: Iterable[LabelledValue]) -> Node | None:
    """Return the smallest element that contains a title and, after the title, a label of a key figure; or None."""
    labels = [hit.label for hit in hits if hit.label.start > title.end]
    return next((node for node in title.ancestors() if any(map(node.contains, labels))), None)


def titles_over(titles: Sequence[StatementTitle], node: Node) -> list[StatementTitle]:
    """Return the titles that apply to a node, the nearest first.

        <h2>Situații financiare</h2>
        <h3>2024</h3><p>Total active: 24 000 MDL</p>
        <h3>2023</h3><p>Total active: 23 000 MDL</p>

    → "2023" and "Situații financiare" for the last amount
    """
    over = [title for title in titles if title.covers(node)]
    # A title applies up to the next title of the same or a higher level.
    kept = [
        title
        for i, title in enumerate(over)
        if all(later.level > title.level for later in over[i + 1 :] if title.container.contains(later.node))
    ]
    return kept[::-1]
