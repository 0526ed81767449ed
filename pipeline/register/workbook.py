"""Reader of the bulk register: an XLSX of hundreds of thousands of rows from dataset.gov.md.

A sweep walks it in pages, like the site's list. The pages are not stored, because the file is identified by its hash
and can be downloaded again.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.register.listing import (
    ParsedRows,
    RawRow,
    SweepPage,
    add_row,
    as_flag,
    as_text,
    is_not_liquidated,
)
from pipeline.register.xlsx import Row, UnreadableXlsx, Workbook, open_workbook
from pipeline.transform.source_text import fold

SHEET = "Company"
_HEADER_WITHIN = 100
"""How many rows at the top of the sheet are searched for the header."""
_NOTE = re.compile(r"\([^()]*\)")
_TITLES = {
    "idno": "IDNO/ Cod fiscal",
    "name": "Denumirea completă",
    "legal_form": "Forma org./jurid.",
    "registered_on": "Data înregistrării",
    "liquidated_on": "Data lichidării",
}


class UnreadableRegister(RuntimeError):
    """The file is not a readable register. The error's message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class RegisterColumns:
    """The index of each column in a row, counted from 0; None if the file does not have the column."""

    idno: int
    name: int
    legal_form: int | None
    registered_on: int | None
    liquidated_on: int | None


def file_source(path: Path) -> str:
    """Return the name under which a sweep stores this file as its source. It contains the hash of the content.

    Raise UnreadableRegister if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"xlsx:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise UnreadableRegister(f"{path} cannot be read: {error.strerror}") from error


def walk_workbook(path: Path, *, page: int, size: int) -> Iterator[SweepPage]:
    """Yield the pages of a register, `size` rows each, starting at page number `page` (the first is 0).

    Raise UnreadableRegister if the file is not a readable register.
    """
    try:
        with open_workbook(path) as book:
            rows = _rows(path, book)
            columns, missing = _find_columns(path, rows)
            yield from _pages(book, columns, missing, rows, page=page, size=size)
    except UnreadableXlsx as error:
        raise UnreadableRegister(str(error)) from error


def _rows(path: Path, book: Workbook) -> Iterator[tuple[int, Row]]:
    sheet = next((name for name in book.sheets if fold(name) == fold(SHEET)), None)
    if sheet is None:
        raise UnreadableRegister(
            f"{path} is not the register: it has no sheet {SHEET!r}; its sheets:"
            f" {', '.join(map(repr, book.sheets)) or 'none'}"
        )
    return book.rows(sheet)


def _find_columns(path: Path, rows: Iterator[tuple[int, Row]]) -> tuple[RegisterColumns, set[str]]:
    """Read rows until the header; return the columns that it names, and the titles of missing optional columns."""
    for _, row in islice(rows, _HEADER_WITHIN):
        found = {_plain(as_text(title) or ""): column for column, title in row.items()}
        if _plain(_TITLES["name"]) not in found:
            continue
        columns = {name: found.get(_plain(title)) for name, title in _TITLES.items()}
        if columns["idno"] is None or columns["name"] is None:
            raise UnreadableRegister(f"{path} is not the register: its header has no {_TITLES['idno']!r}")
        missing = {_TITLES[name] for name, column in columns.items() if column is None}
        return RegisterColumns(**columns), missing  # type: ignore[arg-type]  # idno and name are not None
    raise UnreadableRegister(
        f"{path} is not the register: none of the first {_HEADER_WITHIN} rows of {SHEET!r} contains"
        f" {_TITLES['name']!r}"
    )


def _plain(title: str) -> str:
    """Return a column's title for comparison: folded, without spaces and without a note in parentheses."""
    return fold(_NOTE.sub("", title)).replace(" ", "")


def _pages(
    book: Workbook,
    columns: RegisterColumns,
    missing: set[str],
    rows: Iterator[tuple[int, Row]],
    *,
    page: int,
    size: int,
) -> Iterator[SweepPage]:
    for _ in islice(rows, page * size):
        pass
    while True:
        parsed = ParsedRows(missing_fields=missing)
        known: set[str] = set()
        for number, row in islice(rows, size):
            add_row(parsed, _raw(book, columns, number, row), known)
        is_last = parsed.row_count < size
        yield SweepPage(page, size, is_last, parsed)
        if is_last:
            return
        page += 1


def _raw(book: Workbook, columns: RegisterColumns, number: int, row: Row) -> RawRow:
    def cell(column: int | None) -> object:
        return None if column is None else row.get(column)

    has_activity = columns.liquidated_on is not None
    return RawRow(
        row=number,
        idno=cell(columns.idno),
        name=cell(columns.name),
        legal_form=cell(columns.legal_form),
        activity=book.as_day(cell(columns.liquidated_on)),
        registered_on=book.as_day(cell(columns.registered_on)),
        read_activity=is_not_liquidated if has_activity else as_flag,
    )
