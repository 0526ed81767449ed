"""Parser of the rows of a list of companies. It is strict: it reports each row or value that it cannot read.

Both sources (the site's list and the bulk register) yield SweepPage objects whose rows are parsed here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from pipeline.register.no_value import ZERO_DAYS, is_absent, is_no_liquidation
from pipeline.transform.source_text import parse_date
from warehouse.idno import InvalidIdno, parse_idno

_FISCAL_CODE = re.compile(r"[0-9]{6,8}")
_EARLIEST = date(1900, 1, 1)
_QUOTED_CHARACTERS = 60
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ListedCompany:
    """A company, with the values that a row of a list states about it, and the number of the row."""

    idno: str
    name: str | None
    legal_form: str | None
    is_active: bool | None
    registered_on: date | None
    row: int = field(default=0, compare=False)


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
    repeated: list[RowProblem] = field(default_factory=list)
    """Rows whose IDNO a row above them has."""
    unreadable: list[RowProblem] = field(default_factory=list)
    """Values in accepted rows that have the wrong type or format. The company has None instead of such a value."""
    unknown_fields: set[str] = field(default_factory=set)
    """Fields of the rows that the parser does not know."""
    missing_fields: set[str] = field(default_factory=set)
    """Columns that the parser knows but the list does not have."""
    total: int | None = None
    """The number of rows in the whole list, as the list states it; None if it does not."""

    @property
    def row_count(self) -> int:
        """The number of rows in the page."""
        return len(self.companies) + len(self.rejected) + len(self.repeated)

    def reject(self, row: int, value: object, reason: str) -> None:
        """Add a rejected row."""
        self.rejected.append(RowProblem(row, _abbreviate(value), reason))


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
    """The values of a row before they are parsed. `read_activity` parses the value that states whether it is active."""

    row: int
    idno: object
    name: object
    legal_form: object
    activity: object
    registered_on: object
    read_activity: Callable[[object], bool | None]


class _UnreadableValue(ValueError):
    """A value has the wrong type or format. The error's message says what is wrong."""


def add_row(parsed: ParsedRows, raw: RawRow, known: set[str]) -> None:
    """Parse a row and add the result to `parsed`: a company, or a row without a company, with the reason.

    Args:
        parsed: The rows of the page.
        raw: The row.
        known: The IDNOs of the rows above; the row's IDNO is added.
    """
    try:
        idno = _idno(raw.idno)
    except (InvalidIdno, _UnreadableValue) as reason:
        parsed.reject(raw.row, raw.idno, str(reason))
        return
    if idno in known:
        parsed.repeated.append(RowProblem(raw.row, idno, f"a row above has the IDNO {idno}, too"))
        return
    known.add(idno)
    parsed.companies.append(
        ListedCompany(
            idno,
            name=_read(parsed, raw, raw.name, as_text),
            legal_form=_read(parsed, raw, raw.legal_form, as_text),
            is_active=_read(parsed, raw, raw.activity, raw.read_activity),
            registered_on=_read(parsed, raw, raw.registered_on, as_date),
            row=raw.row,
        )
    )


def _idno(value: object) -> str:
    text = as_text(value)
    if text is None:
        raise InvalidIdno("the row has no IDNO")
    if _FISCAL_CODE.fullmatch(text):
        raise InvalidIdno(f"{text!r} is a fiscal code of {len(text)} digits, older than the IDNO")
    return parse_idno(text)


def _read(
    parsed: ParsedRows, raw: RawRow, value: object, reader: Callable[[object], _Value | None]
) -> _Value | None:
    try:
        return reader(value)
    except _UnreadableValue as reason:
        parsed.unreadable.append(RowProblem(raw.row, _abbreviate(value), str(reason)))
        return None


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
    return None if is_absent(text) else text


def as_flag(value: object) -> bool | None:
    """Return a boolean; raise ValueError for other types."""
    if isinstance(value, bool):
        return value
    if is_absent(value):
        return None
    raise _UnreadableValue(f"{_abbreviate(value)} is neither true nor false")


def as_date(value: object) -> date | None:
    """Convert a date object, or a date written as text in any format that pages use, to a date.

    Raise ValueError for anything else, and for a day before 1900 or after tomorrow.
    """
    if isinstance(value, datetime):
        value = value.date()
    day = value if isinstance(value, date) else _day_in_text(value)
    if day is not None and not _EARLIEST <= day <= datetime.now(UTC).date() + timedelta(days=1):
        raise _UnreadableValue(f"{_abbreviate(value)} is not a plausible date")
    return day


def _day_in_text(value: object) -> date | None:
    text = as_text(value)
    day = parse_date(text) if text is not None else None
    if text is not None and day is None:
        raise _UnreadableValue(f"{_abbreviate(value)} is not a valid date")
    return day


def is_not_liquidated(value: object) -> bool:
    """Return whether a company is active, from the value in the place of its date of liquidation.

    Raise ValueError if the value is neither a date nor a text for "no value"; then nothing is known.

    "-" → True, "05.02.2020" → False, "?" and "01.01.1900" → ValueError
    """
    if is_no_liquidation(value):
        return True
    day = as_date(value)
    if day is None:
        raise _UnreadableValue(f"{_abbreviate(value)} does not say whether there is a date")
    if day in ZERO_DAYS:
        raise _UnreadableValue(f"{_abbreviate(value)} is what an empty date becomes in some programs")
    return False


def _abbreviate(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\0")
    return text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "…"
