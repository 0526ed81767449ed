"""Parser of the rows of a list of companies. It is strict: it reports each row or value that it cannot read.

Both sources (the site's list and the bulk register) yield SweepPage objects whose rows are parsed here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from warehouse.idno import InvalidIdno, parse_idno

_ABSENT = frozenset({"", "NULL", "undefined"})
"""The sources' placeholders for "no value", besides null."""
_ISO_DATE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII | re.DOTALL
)
_DOTTED_DATE = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})", re.ASCII)
_QUOTED_CHARACTERS = 60
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ListedCompany:
    """A company, with the values that a row of a list states about it."""

    idno: str
    name: str | None
    legal_form: str | None
    is_active: bool | None
    registered_on: date | None


@dataclass(frozen=True)
class RowProblem:
    """A row that was rejected, or a value that was not readable, and the reason.

    `row` is the number of the row, counted from 1: in the page of the site's list or in the sheet of the bulk register.
    """

    row: int
    value: str
    reason: str


@dataclass
class ParsedRows:
    """The rows of one page of a list: the companies that could be parsed, and the problems with the rest."""

    companies: list[ListedCompany] = field(default_factory=list)
    rejected: list[RowProblem] = field(default_factory=list)
    """Rows without a valid IDNO."""
    unreadable: list[RowProblem] = field(default_factory=list)
    """Values in accepted rows that have the wrong type or format. The company has None instead of such a value."""
    unknown_fields: set[str] = field(default_factory=set)
    """Fields of the rows that the parser does not know."""
    missing_fields: set[str] = field(default_factory=set)
    """Columns that the parser knows but the list does not have."""
    total: int | None = None
    """The number of companies in the whole list, as the list states it."""

    @property
    def row_count(self) -> int:
        """The number of rows in the page, accepted or rejected."""
        return len(self.companies) + len(self.rejected)


@dataclass(frozen=True)
class ReceivedPage:
    """An HTTP response as it was received."""

    url: str
    status_code: int
    content: bytes
    content_type: str
    fetched_at: datetime


@dataclass(frozen=True)
class SweepPage:
    """One page of a list, the unit of a sweep. `number` counts from 0, in pages of `size` rows.

    `received` is the response that contained the page; None if the list is a file.
    """

    number: int
    size: int
    is_last: bool
    parsed: ParsedRows
    received: ReceivedPage | None = None


@dataclass(frozen=True, kw_only=True)
class RawRow:
    """The values of a row before they are parsed."""

    row: int
    idno: object
    name: object
    legal_form: object
    is_active: object
    registered_on: object


class _UnreadableValue(ValueError):
    """A value has the wrong type or format. The error's message says what is wrong."""


def add_row(parsed: ParsedRows, raw: RawRow) -> None:
    """Parse a row and add the result to `parsed`: a company, or a rejected row with the reason."""
    try:
        idno = parse_idno(as_text(raw.idno) or "")
    except (InvalidIdno, _UnreadableValue) as reason:
        parsed.rejected.append(RowProblem(raw.row, _abbreviate(raw.idno), str(reason)))
        return
    parsed.companies.append(
        ListedCompany(
            idno,
            name=_read(parsed, raw, raw.name, as_text),
            legal_form=_read(parsed, raw, raw.legal_form, as_text),
            is_active=_read(parsed, raw, raw.is_active, as_flag),
            registered_on=_read(parsed, raw, raw.registered_on, as_date),
        )
    )


def _read(
    parsed: ParsedRows, raw: RawRow, value: object, reader: Callable[[object], _Value | None]
) -> _Value | None:
    try:
        return reader(value)
    except _UnreadableValue as reason:
        parsed.unreadable.append(RowProblem(raw.row, _abbreviate(value), str(reason)))
        return None


def is_absent(value: object) -> bool:
    """Tell whether a value is one of the sources' placeholders for "no value"."""
    return value is None or (isinstance(value, str) and value.strip() in _ABSENT)


def as_text(value: object) -> str | None:
    """Return a text unchanged, or a whole number as text. Raise ValueError for other types.

    Spreadsheets store codes as numbers.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if is_absent(value):
        return None
    if not isinstance(value, str):
        raise _UnreadableValue(f"{_abbreviate(value)} is not a text")
    # PostgreSQL cannot store NUL characters or lone surrogates.
    text = value.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8").strip()
    return None if text in _ABSENT else text


def as_flag(value: object) -> bool | None:
    """Return a boolean; raise ValueError for other types."""
    if isinstance(value, bool):
        return value
    if is_absent(value):
        return None
    raise _UnreadableValue(f"{_abbreviate(value)} is neither true nor false")


def as_date(value: object) -> date | None:
    """Convert a date object, or a text like 2003-07-09 or 09.07.2003, to a date; raise ValueError for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = as_text(value)
    if text is None:
        return None
    match = _ISO_DATE.fullmatch(text) or _DOTTED_DATE.fullmatch(text)
    try:
        if match:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:  # such as the 31st of February
        pass
    raise _UnreadableValue(f"{_abbreviate(value)} is not a valid date")


def _abbreviate(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\0")
    return text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "…"
