"""Rows of a list of companies, read strictly: what is taken, and what is not and why."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from warehouse.idno import InvalidIdno, parse_idno

_ABSENT = frozenset({"", "NULL", "undefined"})
"""How the sources say that there is nothing, beside null."""
_ISO_DATE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII | re.DOTALL
)
_DOTTED_DATE = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})", re.ASCII)
_SHOWN_CHARACTERS = 60
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ListedCompany:
    """A company as a list has it."""

    idno: str
    name: str | None
    legal_form: str | None
    is_active: bool | None
    registered_on: date | None


@dataclass(frozen=True)
class RowProblem:
    """What was not taken from a row (counted in its page from 1, or in its sheet), and why."""

    row: int
    value: str
    reason: str


@dataclass
class ListPage:
    """A page of a list, as far as it could be read."""

    companies: list[ListedCompany] = field(default_factory=list)
    refused: list[RowProblem] = field(default_factory=list)
    """Rows that were not taken."""
    unread: list[RowProblem] = field(default_factory=list)
    """Values that were not taken, of rows that were."""
    unknown_fields: set[str] = field(default_factory=set)
    """What rows hold beside what is known of them."""
    missing_fields: set[str] = field(default_factory=set)
    """What the list could say of each company, and does not."""
    total: int | None = None
    """Companies in the whole list, as it says itself."""

    @property
    def rows(self) -> int:
        """Rows of the page, taken or not."""
        return len(self.companies) + len(self.refused)


@dataclass(frozen=True)
class Evidence:
    """A page as it was received."""

    url: str
    status_code: int
    content: bytes
    content_type: str
    fetched_at: datetime


@dataclass(frozen=True)
class WalkedPage:
    """A step of a walk through a list: the rows from number * size on. `evidence` is None for a file."""

    number: int
    size: int
    is_last: bool
    listing: ListPage
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class RawRow:
    """A row's values, not read yet."""

    row: int
    idno: object
    name: object
    legal_form: object
    is_active: object
    registered_on: object


class _Unread(ValueError):
    """A value is not what it should be; the message says what that is."""


def add_row(listing: ListPage, raw: RawRow) -> None:
    """Read a row into a page: as a company, or as refused."""
    try:
        idno = parse_idno(as_text(raw.idno) or "")
    except (InvalidIdno, _Unread) as reason:
        listing.refused.append(RowProblem(raw.row, _shown(raw.idno), str(reason)))
        return
    listing.companies.append(
        ListedCompany(
            idno,
            name=_read(listing, raw, raw.name, as_text),
            legal_form=_read(listing, raw, raw.legal_form, as_text),
            is_active=_read(listing, raw, raw.is_active, as_flag),
            registered_on=_read(listing, raw, raw.registered_on, as_date),
        )
    )


def _read(
    listing: ListPage, raw: RawRow, value: object, reader: Callable[[object], _Value | None]
) -> _Value | None:
    try:
        return reader(value)
    except _Unread as reason:
        listing.unread.append(RowProblem(raw.row, _shown(value), str(reason)))
        return None


def is_absent(value: object) -> bool:
    """Tell whether a value is one of the sources' ways to say that there is none."""
    return value is None or (isinstance(value, str) and value.strip() in _ABSENT)


def as_text(value: object) -> str | None:
    """Read a text; a whole number is taken for its digits, as spreadsheets have it. Raises ValueError."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if is_absent(value):
        return None
    if not isinstance(value, str):
        raise _Unread(f"{_shown(value)} is no text")
    # PostgreSQL stores neither NUL nor half of a surrogate pair.
    text = value.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8").strip()
    return None if text in _ABSENT else text


def as_flag(value: object) -> bool | None:
    """Read true or false. Raises ValueError."""
    if isinstance(value, bool):
        return value
    if is_absent(value):
        return None
    raise _Unread(f"{_shown(value)} is neither true nor false")


def as_date(value: object) -> date | None:
    """Read a date: a real one, 2003-07-09 or 09.07.2003. Raises ValueError."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = as_text(value)
    if text is None:
        return None
    found = _ISO_DATE.fullmatch(text) or _DOTTED_DATE.fullmatch(text)
    try:
        if found:
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:  # the 31st of February
        pass
    raise _Unread(f"{_shown(value)} is no date")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\0")
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
