"""Reads the key figures on a page: amounts next to labels. Titles, columns or rows name their years and units."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.transform.amounts import WrittenAmount, grouping_in, parse_amount, split_amount
from pipeline.transform.html.columns import is_cell
from pipeline.transform.html.figure_grids import FigureGrids
from pipeline.transform.html.figure_units import FigureUnits
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import Node
from pipeline.transform.html.statement_years import StatementTitle, titles_in, titles_over
from pipeline.transform.money_units import Unit, combine_units, unit_in, units_in
from pipeline.transform.reading import STATEMENTS, Unread
from pipeline.transform.source_text import fold, text_or_none
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH
from warehouse.records.models import KEY_FIGURE_LABELS, KEY_FIGURES, Statement, StatementLine

_DASH = re.compile(r"[–—−-]")
_DASH_AT_END = re.compile(r"[–—−-]\s*$")
_LEI = frozenset({"l", "l."})
"""The abbreviation of lei; it is a unit only next to a number."""
_FOOTNOTE_MARK = re.compile(r"(?<=[\d)])[¹²³⁰⁴-⁹]{1,2}|[*†‡]{1,3}$")
_MOST_TEXT = 200
"""The number of characters of an unread text that are recorded."""


@dataclass(frozen=True)
class _ShownAmount:
    """An amount on the page with its field and year, and the units that the texts around it announce."""

    field: Field
    year: int
    text: str
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class KeyFigures:
    """The statements that a page shows, newest first, and the amounts that were not read."""

    statements: tuple[Statement, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass
class _Page:
    """What the amounts of a page have in common."""

    titles: Sequence[StatementTitle]
    leaves: Sequence[Node]
    units: FigureUnits
    grids: FigureGrids
    unread: list[Unread]

    def refuse(self, hit: LabelledValue, text: str, reason: str) -> None:
        self.unread.append(_unread(hit.field, text, reason))


def _unread(field: Field, text: str, reason: str) -> Unread:
    return Unread(STATEMENTS, text[:_MOST_TEXT], f"{field}: {reason}")


def read_key_figures(root: Node, hits: Sequence[LabelledValue], *, heading: Node) -> KeyFigures:
    """Return a statement for each year for which the page shows key figures.

        <h2>Situații financiare, 2024 (mii lei)</h2>
        <p>Total active: 1 234</p>
        <p>Profit net: (87)</p>

    → one statement of 2024 with two lines, 1 234 000 and −87 000 lei

    Args:
        root: The page.
        hits: The labels of key figures.
        heading: The company's heading; titles before it are ignored.
    """
    if not hits:
        return KeyFigures()
    titles = titles_in(root, hits, after=heading)
    grids = FigureGrids()
    rows = [row for hit in hits if (row := grids.row_of(hit.label)) is not None]
    page = _Page(titles, list(root.leaves()), FigureUnits(root, hits, titles, rows), grids, [])
    by_year: dict[int, list[_ShownAmount]] = defaultdict(list)
    for hit in hits:
        for amount in _amounts(hit, page):
            by_year[amount.year].append(amount)
    marks = grouping_in(_number(amount.text) for some in by_year.values() for amount in some)
    read = [_statement(year, by_year[year], marks, page.unread) for year in sorted(by_year, reverse=True)]
    return KeyFigures(tuple(statement for statement in read if statement.lines), tuple(page.unread))


def _statement(year: int, shown: Sequence[_ShownAmount], marks: str, unread: list[Unread]) -> Statement:
    """Return the statement of a year from the amounts shown for that year.

    A key figure is left out if the page shows different amounts for it, or an amount that is not certainly in lei.
    `marks` is the mark that groups thousands on the whole page, if that is known.
    """
    grouping = grouping_in(_number(amount.text) for amount in shown) or marks
    values: dict[Field, list[tuple[str, Decimal | None, str]]] = defaultdict(list)
    for amount in shown:
        values[amount.field].append((amount.text, *_value(amount, grouping)))
    lines: list[StatementLine] = []
    for name, (form, row) in KEY_FIGURES.items():
        different = {value for _, value, _ in values.get(Field(name), ())}
        value = next(iter(different)) if len(different) == 1 else None
        if value is not None:
            lines.append(StatementLine(form, row, value, KEY_FIGURE_LABELS[name]))
        unread += [
            _unread(Field(name), text, f"{year}: {reason or 'different amounts'}")
            for text, read, reason in values.get(Field(name), ())
            if read is None or len(different) > 1
        ]
    return Statement(year=year, lines=tuple(sorted(lines)))


def _value(amount: _ShownAmount, grouping: str) -> tuple[Decimal | None, str]:
    """Return an amount in lei, or None and the reason why it is not certain."""
    written = _written(amount.text)
    if written is None:
        return None, "not an amount"
    own = Unit(is_lei=True) if written.unit in _LEI else unit_in(written.unit) if written.unit else Unit()
    if own is None:
        return None, "the text beside the number is not a unit"
    scale, reason = combine_units(own, amount.units)
    if scale is None:
        return None, reason
    value = parse_amount(written.number, grouping=grouping, decimals=max(2, len(str(scale)) - 1))
    if value is None:
        return None, "the number is ambiguous"
    value *= scale
    return (value.to_integral_value() if value == value.to_integral_value() and scale > 1 else value), ""


def _number(text: str) -> str:
    written = _written(text)
    return written.number if written else ""


def _written(text: str) -> WrittenAmount | None:
    """Split an amount without the mark of a footnote after it: "4 510 200³" → "4 510 200"."""
    return split_amount(_FOOTNOTE_MARK.sub("", text[:_MOST_TEXT]).strip())


def _amounts(hit: LabelledValue, page: _Page) -> Iterator[_ShownAmount]:
    """Yield the amounts of a label, one for each year.

        <h2>Bilanț la 31.12.2024</h2>
        <p>Total active: 5 000 MDL</p>

    → the amount of 2024. If the year or the value of an amount is not certain, it is recorded as unread instead.
    """
    over = titles_over(page.titles, hit.label)
    around = (*_units_of_label(hit), *page.units.around(hit.label, over))
    in_grid = page.grids.amounts_of(hit.label, hit.nodes)
    if in_grid is not None:
        if not in_grid and text_or_none(hit.value):
            page.refuse(hit, hit.value, "no years over the columns of its table")
        for amount in in_grid:
            year = amount.year or _year_in(over, hit, page, amount.text)
            if year is not None:
                yield _ShownAmount(hit.field, year, amount.text, (*amount.units, *around))
        return
    text = text_or_none(hit.value)
    if text is None:
        return
    year = _year_in(over, hit, page, text)
    if year is None:
        return
    if not _is_one_amount(hit, page):
        page.refuse(hit, text, "more than one amount, or a dash, beside it")
    else:
        yield _ShownAmount(hit.field, year, text, (*_units_beside(hit, page.leaves), *around))


def _year_in(over: Sequence[StatementTitle], hit: LabelledValue, page: _Page, text: str) -> int | None:
    """Return the year in the nearest title above a label that contains one; if it is not certain, record the text."""
    dated = next((title for title in over if title.names_year), None)
    if dated is None or dated.year is None:
        page.refuse(hit, text, "no title names its year")
    return dated.year if dated else None


def _units_of_label(hit: LabelledValue) -> Sequence[Unit]:
    """Return the units in a label.

        <p><b>Total active, lei</b> 1 234 567</p>

    → lei
    """
    text = hit.label.text if hit.text is None else hit.label.text[: hit.label.text.rfind(hit.text.strip())]
    return units_in(text, is_title=True) if len(text) <= LABEL_LENGTH else ()


def _units_beside(hit: LabelledValue, leaves: Sequence[Node]) -> Iterator[Unit]:
    """Yield the units that are texts of their own between a label and its amount, or after the amount.

        <div><span>Total active</span><b>1 234</b><small>mii lei</small></div>

    → thousands of lei
    """
    if not hit.nodes:
        return
    first, last = hit.nodes[0], hit.nodes[-1]
    between = leaves[_index_after(leaves, hit.label.end) : _index_after(leaves, first.start - 1)]
    following = leaves[_index_after(leaves, last.end) :][:1]
    parent = last.parent
    beside = [leaf for leaf in following if parent is not None and parent.contains(leaf)]
    for leaf in (*between, *beside):
        if unit := unit_in(leaf.text):
            yield unit


def _is_one_amount(hit: LabelledValue, page: _Page) -> bool:
    """Tell whether a label has exactly one amount: no dash before the amount, no second amount after it.

        <p>Total active: 5 000 MDL</p>
        <p><b>Profit net</b> – <span>5 000 MDL</span></p>
        <p><b>Total active</b> <span>5 000</span> <span>6 000</span></p>

    → True for the first line; False for the second (the dash may be a minus sign) and the third (two amounts)
    """
    inside = [leaf for node in hit.nodes for leaf in node.leaves()]
    texts = [*([hit.text] if hit.text else []), *(leaf.text for leaf in inside)]
    if sum(1 for text in texts if not _is_unit(text)) != 1:
        return False
    if hit.text is not None and _DASH_AT_END.search(hit.label.text[: hit.label.text.rfind(hit.text.strip())]):
        return False
    first = inside[0].start if inside else hit.label.end
    last = inside[-1].start if inside else hit.label.end
    if inside and is_cell(hit.nodes[0]):
        return True  # the next cell belongs to another column and is no second amount
    between = page.leaves[_index_after(page.leaves, hit.label.end) : _index_after(page.leaves, first - 1)]
    following = page.leaves[_index_after(page.leaves, last) :][:1]
    following = [leaf for leaf in following if not any(title.node.contains(leaf) for title in page.titles)]
    return not any(_DASH.search(leaf.text) for leaf in between) and not _are_amounts(following)


def _are_amounts(leaves: Iterable[Node]) -> bool:
    """Tell whether one of the texts is an amount, with or without a unit."""
    written = (split_amount(leaf.text) for leaf in leaves)
    return any(amount is not None and (not amount.unit or _is_unit(amount.unit)) for amount in written)


def _is_unit(text: str) -> bool:
    return unit_in(text) is not None or fold(text).strip("()") in _LEI


def _index_after(leaves: Sequence[Node], start: int) -> int:
    """Return the index in `leaves` of the first leaf after the node whose number is `start`."""
    return bisect_right(leaves, start, key=lambda leaf: leaf.start)
