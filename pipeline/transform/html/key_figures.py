"""Reads the key figures on a page: amounts in lei next to labels. Titles, columns or rows name their years."""

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
from pipeline.transform.html.statement_years import StatementTitle, titles_in, titles_over, year_of_column
from pipeline.transform.reading import STATEMENTS
from pipeline.transform.source_text import fold, text_or_none
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
"""A quick test: `_THOUSANDS` can only match where this pattern matches, and few pages contain it."""
_UNIT = re.compile(r"\b(?:mdl|lei|леев|лей|леях)\b")
_OTHER_CURRENCY = re.compile(r"\b(?:eur|euro|usd|dolari|ron|rub|евро|долл\w*|руб\w*)\b|[$€₽]")
_DASH = re.compile(r"[–—−-]")
_DASH_AT_END = re.compile(r"[–—−-]\s*$")
_AMOUNT_LIKE = re.compile(r"[(−–-]?\s*\d[\d\s.,]*\)?(?:\s*(?:mdl|lei|l|леев|лей)\.?)?")
_UNIT_ALONE = re.compile(r"\(?(?:mdl|lei|l|леев|лей)\.?\)?")
_UNIT_NOTE_LENGTH = 200


@dataclass(frozen=True)
class _ShownAmount:
    """An amount on the page with its field and year. `is_in_lei` is true if the texts around it name lei as unit."""

    field: Field
    year: int
    text: str
    is_in_lei: bool


def read_key_figures(
    root: Node, hits: Sequence[LabelledValue], *, heading: Node, notes: list[str]
) -> tuple[Statement, ...]:
    """Return a statement for each year for which the page shows key figures.

        <h2>Situații financiare, 2024</h2>
        <p>Total active: 1 234 567 MDL</p>
        <p>Profit net: (87) MDL</p>

    → one statement of 2024 with two lines

    Args:
        root: The page.
        hits: The labels of key figures.
        heading: The company's heading; titles before it are ignored.
        notes: A list to which the function adds the reason for each amount that it does not read.
    """
    if not hits:
        return ()
    if _mentions_thousands(root):
        notes.append(f"{STATEMENTS}: the page speaks of thousands or millions of lei")
        return ()
    titles = titles_in(root, hits, after=heading)
    leaves = list(root.leaves())
    shown = [amount for hit in hits for amount in _amounts(hit, titles, leaves, notes)]
    by_year: dict[int, list[_ShownAmount]] = defaultdict(list)
    for amount in shown:
        by_year[amount.year].append(amount)
    statements = (_statement(year, by_year[year], notes) for year in sorted(by_year, reverse=True))
    return tuple(statement for statement in statements if statement.lines)


def _mentions_thousands(root: Node) -> bool:
    """Tell whether a short text of the page says that amounts are in thousands or millions of lei.

        <p>Sume în mii lei</p>

    → True
    """
    return _MAYBE_THOUSANDS.search(root.text) is not None and any(
        _THOUSANDS.search(fold(leaf.text)) for leaf in root.leaves() if len(leaf.text) <= _UNIT_NOTE_LENGTH
    )


def _statement(year: int, shown: Sequence[_ShownAmount], notes: list[str]) -> Statement:
    """Return the statement of a year from the amounts shown for that year.

    A key figure is left out if the page shows different amounts for it, or an amount that is not certainly in lei.
    """
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
    hit: LabelledValue, titles: Sequence[StatementTitle], leaves: Sequence[Node], notes: list[str]
) -> Iterator[_ShownAmount]:
    """Yield the amounts of a label, one for each year.

        <h2>Bilanț la 31.12.2024</h2>
        <p>Total active: 5 000 MDL</p>

    → the amount of 2024. If the year or the value of an amount is not certain, a note is added instead.
    """
    table = _amounts_in_table(hit)
    if table is not None:
        yield from table
        if not table and text_or_none(hit.value):
            notes.append(f"{STATEMENTS}: {hit.field}: no years over the columns of its table")
        return
    text = text_or_none(hit.value)
    if text is None:
        return
    over = titles_over(titles, hit.label)
    dated = next((title for title in over if title.names_year), None)
    year = dated.year if dated else None
    if year is None:
        notes.append(f"{STATEMENTS}: {hit.field}: no title names its year: {text[:40]!r}")
    elif not _is_one_amount(hit, leaves):
        notes.append(f"{STATEMENTS}: {hit.field}: more than one amount, or a dash, beside it: {text[:40]!r}")
    else:
        yield _ShownAmount(hit.field, year, text, _is_in_lei(hit, (title.node.text for title in over)))


def _is_in_lei(hit: LabelledValue, around: Iterator[str]) -> bool:
    """Tell whether a label or the titles above it name lei as the unit, and name no other currency.

        <p><b>Total active, lei</b> 1 234 567</p>

    → True
    """
    label = hit.label.text if len(hit.label.text) <= LABEL_LENGTH and hit.text is None else ""
    folded = [fold(text) for text in (label, *around)]
    return any(map(_UNIT.search, folded)) and not any(map(_OTHER_CURRENCY.search, folded))


def _is_one_amount(hit: LabelledValue, leaves: Sequence[Node]) -> bool:
    """Tell whether a label has exactly one amount: no dash before the amount, no second amount after it.

        <p>Total active: 5 000 MDL</p>
        <p><b>Profit net</b> – <span>5 000 MDL</span></p>
        <p><b>Total active</b> <span>5 000</span> <span>6 000</span></p>

    → True for the first line; False for the second (the dash may be a minus sign) and the third (two amounts)
    """
    inside = [leaf for node in hit.nodes for leaf in node.leaves()]
    texts = [*([hit.text] if hit.text else []), *(leaf.text for leaf in inside)]
    if sum(1 for text in texts if not _UNIT_ALONE.fullmatch(fold(text))) != 1:
        return False
    if hit.text is not None and _DASH_AT_END.search(hit.label.text[: hit.label.text.rfind(hit.text.strip())]):
        return False
    first = inside[0].start if inside else hit.label.end
    last = inside[-1].start if inside else hit.label.end
    if inside and is_cell(hit.nodes[0]):
        return True  # the next cell belongs to another column and is no second amount
    between = leaves[_index_after(leaves, hit.label.end) : _index_after(leaves, first - 1)]
    following = leaves[_index_after(leaves, last) :][:1]
    return not any(_DASH.search(leaf.text) for leaf in between) and not any(
        _AMOUNT_LIKE.fullmatch(fold(leaf.text)) for leaf in following
    )


def _index_after(leaves: Sequence[Node], start: int) -> int:
    """Return the index in `leaves` of the first leaf after the node whose number is `start`."""
    return bisect_right(leaves, start, key=lambda leaf: leaf.start)


def _amounts_in_table(hit: LabelledValue) -> list[_ShownAmount] | None:
    """Return the amounts of a label in a table with a column or a row for each year.

        <tr><th>Indicator, lei</th><th>2024</th><th>2023</th></tr>
        <tr><td>Total active</td><td>12 000</td><td>11 000</td></tr>

    → the amounts of 2024 and 2023; [] if the columns are not years; None if the label is not in such a table
    """
    cell = next((node for node in (hit.label, *hit.label.ancestors()) if is_cell(node)), None)
    row = cell.parent if cell is not None else None
    if cell is None or row is None or not is_row(row):
        return None
    table = next((node for node in row.ancestors() if node.tag == "table" or "role" in node.attributes), None)
    rows = rows_of(table) if table is not None else []
    row_index = next((i for i, cells in enumerate(rows) if any(other is cell for other in cells)), None)
    if row_index is None:
        return None
    column = next(i for i, other in enumerate(rows[row_index]) if other is cell)
    if column == 0 and (amounts := _amounts_of_year_columns(hit, rows, row_index)) is not None:
        return amounts
    if (amounts := _amounts_of_year_rows(hit, rows, row_index, column)) is not None:
        return amounts
    is_below = bool(hit.nodes) and not row.contains(hit.nodes[0])
    return None if is_below or (len(rows[row_index]) == 2 and column == 0) else []


def _amounts_of_year_columns(
    hit: LabelledValue, rows: list[list[Node]], row_index: int
) -> list[_ShownAmount] | None:
    """Read the amounts in the label's row. Their years are in the nearest row above that contains a year.

        <tr><th>Indicator, lei</th><th>2024</th><th>2023</th></tr>
        <tr><td>Total active</td><td>12 000</td><td>11 000</td></tr>

    → two amounts

    Args:
        hit: The label of the figure.
        rows: The rows of the table, each as its cells.
        row_index: The index of the label's row.
    """
    headers = next(
        (row for row in reversed(rows[:row_index]) if any(year_of_column(cell.text) for cell in row)), None
    )
    if headers is None:
        return None
    years = [year_of_column(cell.text) for cell in headers]
    known = [year for year in years if year is not None]
    if len(headers) != len(rows[row_index]) or len(set(known)) != len(known):
        return []
    is_in_lei = _is_in_lei(hit, (cell.text for cell in headers))
    return [
        _ShownAmount(hit.field, year, text, is_in_lei)
        for year, cell in zip(years, rows[row_index], strict=True)
        if year is not None and (text := text_or_none(cell.text))
    ]


def _amounts_of_year_rows(
    hit: LabelledValue, rows: list[list[Node]], row_index: int, column: int
) -> list[_ShownAmount] | None:
    """Read the amounts in the column below a label, in a table whose rows start with a year.

        <tr><th>Anul</th><th>Total active, lei</th></tr>
        <tr><td>2024</td><td>12 000</td></tr>
        <tr><td>2023</td><td>11 000</td></tr>

    → two amounts

    Args:
        hit: The label of the figure.
        rows: The rows of the table, each as its cells.
        row_index: The index of the label's row.
        column: The index of the label's column.
    """
    below = rows[row_index + 1 :]
    years = [year_of_column(row[0].text) if row else None for row in below]
    if column == 0 or not any(years):
        return None
    known = [year for year in years if year is not None]
    if len(set(known)) != len(known):
        return []
    is_in_lei = _is_in_lei(hit, (cell.text for cell in rows[row_index]))
    return [
        _ShownAmount(hit.field, year, text, is_in_lei)
        for year, row in zip(years, below, strict=True)
        if year is not None and len(row) == len(rows[row_index]) and (text := text_or_none(row[column].text))
    ]
