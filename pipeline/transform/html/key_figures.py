"""The key figures that a page shows: amounts of lei beside their labels, under a title or a head with the year."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.transform.amounts import grouping_in, names_unit, parse_amount
from pipeline.transform.html.columns import is_cell, is_row, rows_of
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import Node
from pipeline.transform.html.statement_years import Title, in_force, titles_in, year_of_column
from pipeline.transform.json.statements import FIELD as STATEMENTS
from pipeline.transform.source_text import fold, present
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH
from warehouse.records.models import KEY_FIGURES, Statement, StatementLine

_THOUSANDS = re.compile(
    r"\b(?:mii|mil\.?|mln\.?|milioane|тыс\.?|тысяч\w*|млн\.?|миллион\w*|thousands?|millions?|mn|k)(?: de| of)?"
    r"[ ,]*\(?(?:lei|mdl|леев|лей|лея)\b"
    r"|\b(?:mdl|lei|леев|лей)[ ,]*\(?(?:mii|mln|тыс|млн|thousands?|millions?|k|mn)\b"
    r"|\b(?:in|в) (?:mii|thousands|millions|milioane|тысячах|тыс|миллионах|млн)\b"
    r"|\((?:mii|thousands|тыс\.?|млн\.?|mln\.?|millions)\)"
)
_MAYBE_THOUSANDS = re.compile(
    r"mii|mil|mln|mn|тыс|млн|thous|k[ ,]*\(?(?:lei|mdl|леев|лей|лея)|(?:mdl|lei|леев|лей)[ ,]*\(?k",
    re.IGNORECASE,
)
"""What all of those hold, and hardly any page does: looked for first, because it is quick."""
_UNIT = re.compile(r"\b(?:mdl|lei|леев|лей|леях)\b")
_OTHER_CURRENCY = re.compile(r"\b(?:eur|euro|usd|dolari|ron|rub|евро|долл\w*|руб\w*)\b|[$€₽]")
_DASH = re.compile(r"[–—−-]")
_DASH_AT_END = re.compile(r"[–—−-]\s*$")
_AMOUNT_LIKE = re.compile(r"[(−–-]?\s*\d[\d\s.,]*\)?(?:\s*(?:mdl|lei|l|леев|лей)\.?)?")
_UNIT_ALONE = re.compile(r"\(?(?:mdl|lei|l|леев|лей)\.?\)?")
_IN_THOUSANDS_LENGTH = 200


@dataclass(frozen=True)
class _Shown:
    """An amount on the page: whose, of which year, and whether what stands around says that it is in lei."""

    field: Field
    year: int
    text: str
    is_in_lei: bool


def read_figures(
    root: Node, hits: Sequence[LabelledValue], *, heading: Node, notes: list[str]
) -> tuple[Statement, ...]:
    """Return the statements that the hits show, key figures only; `notes` takes why an amount is not read."""
    if not hits:
        return ()
    if _speaks_of_thousands(root):
        notes.append(f"{STATEMENTS}: the page speaks of thousands or millions of lei")
        return ()
    titles = titles_in(root, hits, after=heading)
    leaves = list(root.leaves())
    shown = [amount for hit in hits for amount in _amounts(hit, titles, leaves, notes)]
    by_year: dict[int, list[_Shown]] = defaultdict(list)
    for amount in shown:
        by_year[amount.year].append(amount)
    statements = (_statement(year, by_year[year], notes) for year in sorted(by_year, reverse=True))
    return tuple(statement for statement in statements if statement.lines)


def _speaks_of_thousands(root: Node) -> bool:
    return _MAYBE_THOUSANDS.search(root.text) is not None and any(
        _THOUSANDS.search(fold(leaf.text)) for leaf in root.leaves() if len(leaf.text) <= _IN_THOUSANDS_LENGTH
    )


def _statement(year: int, shown: Sequence[_Shown], notes: list[str]) -> Statement:
    grouping = grouping_in(amount.text for amount in shown)
    values: dict[Field, set[Decimal | None]] = defaultdict(set)
    for amount in shown:
        is_in_lei = amount.is_in_lei or names_unit(amount.text)
        values[amount.field].add(parse_amount(amount.text, grouping=grouping) if is_in_lei else None)
    lines: list[StatementLine] = []
    for name, (form, row) in KEY_FIGURES.items():
        different = values.get(Field(name), set())
        value = next(iter(different)) if len(different) == 1 else None
        if value is not None:
            lines.append(StatementLine(form, row, value))
        elif different:
            texts = [amount.text for amount in shown if amount.field == name]
            notes.append(f"{STATEMENTS}: {name} of {year}: no certain amount of lei: {texts!r:.120}")
    return Statement(year=year, lines=tuple(sorted(lines)))


def _amounts(
    hit: LabelledValue, titles: Sequence[Title], leaves: Sequence[Node], notes: list[str]
) -> Iterator[_Shown]:
    """Yield what a label's figure is, by years."""
    table = _in_table(hit)
    if table is not None:
        yield from table
        if not table and present(hit.value):
            notes.append(f"{STATEMENTS}: {hit.field}: no years over the columns of its table")
        return
    text = present(hit.value)
    if text is None:
        return
    over = in_force(titles, hit.place)
    dated = next((title for title in over if title.names_year), None)
    year = dated.year if dated else None
    if year is None:
        notes.append(f"{STATEMENTS}: {hit.field}: no title names its year: {text[:40]!r}")
    elif not _is_one_amount(hit, leaves):
        notes.append(f"{STATEMENTS}: {hit.field}: more than one amount, or a dash, beside it: {text[:40]!r}")
    else:
        yield _Shown(hit.field, year, text, _is_in_lei(hit, (title.node.text for title in over)))


def _is_in_lei(hit: LabelledValue, around: Iterator[str]) -> bool:
    label = hit.place.text if len(hit.place.text) <= LABEL_LENGTH and hit.text is None else ""
    said = [fold(text) for text in (label, *around)]
    return any(map(_UNIT.search, said)) and not any(map(_OTHER_CURRENCY.search, said))


def _is_one_amount(hit: LabelledValue, leaves: Sequence[Node]) -> bool:
    """Tell whether nothing beside a label could be a sign, or another column's amount."""
    inside = [leaf for node in hit.nodes for leaf in node.leaves()]
    texts = [*([hit.text] if hit.text else []), *(leaf.text for leaf in inside)]
    if sum(1 for text in texts if not _UNIT_ALONE.fullmatch(fold(text))) != 1:
        return False
    if hit.text is not None and _DASH_AT_END.search(hit.place.text[: hit.place.text.rfind(hit.text.strip())]):
        return False
    first = inside[0].start if inside else hit.place.end
    last = inside[-1].start if inside else hit.place.end
    if inside and is_cell(hit.nodes[0]):
        return True  # its column has been looked at, and what follows is another one
    between = leaves[_place_after(leaves, hit.place.end) : _place_after(leaves, first - 1)]
    following = leaves[_place_after(leaves, last) :][:1]
    return not any(_DASH.search(leaf.text) for leaf in between) and not any(
        _AMOUNT_LIKE.fullmatch(fold(leaf.text)) for leaf in following
    )


def _place_after(leaves: Sequence[Node], start: int) -> int:
    """Where in the leaves those begin that stand after the node numbered `start`."""
    return bisect_right(leaves, start, key=lambda leaf: leaf.start)


def _in_table(hit: LabelledValue) -> list[_Shown] | None:
    """The figure in a table with a column or a row for each year; [] where its columns are no years, None elsewhere."""
    cell = next((node for node in (hit.place, *hit.place.ancestors()) if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    if cell is None or row is None or not is_row(row):
        return None
    table = next((node for node in row.ancestors() if node.tag == "table" or "role" in node.attributes), None)
    rows = rows_of(table) if table is not None else []
    at = next((i for i, cells in enumerate(rows) if any(other is cell for other in cells)), None)
    if at is None:
        return None
    column = next(i for i, other in enumerate(rows[at]) if other is cell)
    if column == 0 and (found := _by_columns(hit, rows, at)) is not None:
        return found
    if (found := _by_rows(hit, rows, at, column)) is not None:
        return found
    is_below = bool(hit.nodes) and not row.holds(hit.nodes[0])
    return None if is_below or (len(rows[at]) == 2 and column == 0) else []


def _by_columns(hit: LabelledValue, rows: list[list[Node]], at: int) -> list[_Shown] | None:
    """A column a year: the nearest row above with years for heads."""
    heads = next((row for row in reversed(rows[:at]) if any(year_of_column(cell.text) for cell in row)), None)
    if heads is None:
        return None
    years = [year_of_column(cell.text) for cell in heads]
    known = [year for year in years if year is not None]
    if len(heads) != len(rows[at]) or len(set(known)) != len(known):
        return []
    is_in_lei = _is_in_lei(hit, (cell.text for cell in heads))
    return [
        _Shown(hit.field, year, text, is_in_lei)
        for year, cell in zip(years, rows[at], strict=True)
        if year is not None and (text := present(cell.text))
    ]


def _by_rows(hit: LabelledValue, rows: list[list[Node]], at: int, column: int) -> list[_Shown] | None:
    """A row a year: below the heads, each row begins with its year."""
    below = rows[at + 1 :]
    years = [year_of_column(row[0].text) if row else None for row in below]
    if column == 0 or not any(years):
        return None
    known = [year for year in years if year is not None]
    if len(set(known)) != len(known):
        return []
    is_in_lei = _is_in_lei(hit, (cell.text for cell in rows[at]))
    return [
        _Shown(hit.field, year, text, is_in_lei)
        for year, row in zip(years, below, strict=True)
        if year is not None and len(row) == len(rows[at]) and (text := present(row[column].text))
    ]
