"""The bulk register, an XLSX of half a million rows from dataset.gov.md, walked like the site's list.

So many rows are a page. No page is kept as evidence: the file is known by its hash, and can be had again.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.register.listing import ListPage, RawRow, WalkedPage, add_row, as_text, is_absent
from pipeline.register.xlsx import NotXlsx, Row, Workbook, open_workbook
from pipeline.transform.source_text import fold

SHEET = "Company"
_HEADER_WITHIN = 100
"""Rows in which the header has to be found."""
_NOTE = re.compile(r"\([^()]*\)")
_TITLES = {
    "idno": "IDNO/ Cod fiscal",
    "name": "Denumirea completă",
    "legal_form": "Forma org./jurid.",
    "registered_on": "Data înregistrării",
    "liquidated_on": "Data lichidării",
}


class NotTheRegister(RuntimeError):
    """The file is no register that can be read; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where in a row what is; None where the file has no such column."""

    idno: int
    name: int
    legal_form: int | None
    registered_on: int | None
    liquidated_on: int | None


def source_of(path: Path) -> str:
    """Return what a file is known by: the hash of its content. Raises NotTheRegister."""
    try:
        with path.open("rb") as file:
            return f"xlsx:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise NotTheRegister(f"{path} cannot be read: {error.strerror}") from error


def walk_workbook(path: Path, *, page: int, size: int) -> Iterator[WalkedPage]:
    """Yield the pages of a register from page `page` on. Raises NotTheRegister."""
    try:
        with open_workbook(path) as book:
            rows = _rows(path, book)
            columns, missing = _find_columns(path, rows)
            yield from _pages(book, columns, missing, rows, page=page, size=size)
    except NotXlsx as error:
        raise NotTheRegister(str(error)) from error


def _rows(path: Path, book: Workbook) -> Iterator[tuple[int, Row]]:
    sheet = next((name for name in book.sheets if fold(name) == fold(SHEET)), None)
    if sheet is None:
        raise NotTheRegister(
            f"{path} is no register: it has no sheet {SHEET!r}, but {', '.join(map(repr, book.sheets)) or 'none'}"
        )
    return book.rows(sheet)


def _find_columns(path: Path, rows: Iterator[tuple[int, Row]]) -> tuple[Columns, set[str]]:
    """Return the columns by the header, and the titles that it lacks but need not have."""
    for _, row in islice(rows, _HEADER_WITHIN):
        found = {_plain(as_text(title) or ""): column for column, title in row.items()}
        if _plain(_TITLES["name"]) not in found:
            continue
        columns = {name: found.get(_plain(title)) for name, title in _TITLES.items()}
        if columns["idno"] is None or columns["name"] is None:
            raise NotTheRegister(f"{path} is no register: its header has no {_TITLES['idno']!r}")
        missing = {_TITLES[name] for name, column in columns.items() if column is None}
        return Columns(**columns), missing  # type: ignore[arg-type]  # the two are there
    raise NotTheRegister(
        f"{path} is no register: none of the first {_HEADER_WITHIN} rows of {SHEET!r} holds {_TITLES['name']!r}"
    )


def _plain(title: str) -> str:
    """A header's title without its note, its spelling and its spaces."""
    return fold(_NOTE.sub("", title)).replace(" ", "")


def _pages(
    book: Workbook,
    columns: Columns,
    missing: set[str],
    rows: Iterator[tuple[int, Row]],
    *,
    page: int,
    size: int,
) -> Iterator[WalkedPage]:
    for _ in islice(rows, page * size):
        pass
    while True:
        listing = ListPage(missing_fields=missing)
        for number, row in islice(rows, size):
            add_row(listing, _raw(book, columns, number, row))
        is_last = listing.rows < size
        if is_last:
            listing.total = page * size + listing.rows
        yield WalkedPage(page, size, is_last, listing)
        if is_last:
            return
        page += 1


def _raw(book: Workbook, columns: Columns, number: int, row: Row) -> RawRow:
    def cell(column: int | None) -> object:
        return None if column is None else row.get(column)

    registered_on = None if columns.registered_on is None else row.get(columns.registered_on)
    return RawRow(
        row=number,
        idno=cell(columns.idno),
        name=cell(columns.name),
        legal_form=cell(columns.legal_form),
        is_active=None if columns.liquidated_on is None else is_absent(cell(columns.liquidated_on)),
        registered_on=book.as_day(registered_on),
    )
