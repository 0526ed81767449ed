"""Streaming reader for the rows of an XLSX sheet, based on openpyxl."""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook as Book
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from pipeline.register.xlsx_texts import DiskTextReader

Row = dict[int, object]
"""The values of a row by column number, counted from 0; empty cells are left out. Errors are texts like #N/A."""

LARGEST_PART = 1024**3
_MOST_ROWS = 1_048_576
"""The maximum number of a row in the XLSX format. In a malformed file, a row may have a much larger number."""
_DAY_NUMBER = re.compile(r"[0-9]{5}")
_FIRST_YEAR = 366
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,  # raised by XML parsers
    # Raised by openpyxl and zipfile for malformed files.
    *(KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError),
    *(EOFError, NotImplementedError, RuntimeError, OSError),
)


class UnreadableXlsx(ValueError):
    """The file is not a readable XLSX file. The error's message says why."""


@dataclass(frozen=True)
class Workbook:
    """An open XLSX file."""

    path: Path
    book: Book

    @property
    def sheets(self) -> list[str]:
        """The names of the sheets."""
        return [str(name) for name in self.book.sheetnames]

    def rows(self, sheet: str) -> Iterator[tuple[int, Row]]:
        """Yield the rows that are not empty, each with its number in the sheet, counted from 1."""
        with _readable(self.path):
            worksheet = self.book[sheet]
            assert isinstance(worksheet, ReadOnlyWorksheet)
            worksheet.reset_dimensions()  # the size stated in the file can be wrong
            for number, values in enumerate(worksheet.iter_rows(values_only=True), start=1):
                if number > _MOST_ROWS:
                    raise UnreadableXlsx(f"a sheet can have at most {_MOST_ROWS} rows")
                if row := _row(values):
                    yield number, row

    def as_day(self, value: object) -> object:
        """Convert a number of days to the date for which it stands in XLSX. Return any other value unchanged.

        The number may be written as text. A small one (in the first year of the calendar) is not a date.

        37811 → 2003-07-09; "37811" → 2003-07-09; 0, 12, "09.07.2003" → unchanged
        """
        number = int(value) if isinstance(value, str) and _DAY_NUMBER.fullmatch(value.strip()) else value
        if isinstance(number, bool) or not isinstance(number, int | float) or number < _FIRST_YEAR:
            return value
        try:
            day = from_excel(number, self.book.epoch)
        except (OverflowError, ValueError):  # the date would be later than the year 9999
            return value
        return day if isinstance(day, date | datetime) else value


def _row(values: Iterable[object]) -> Row:
    return {
        column: unescape(value) if isinstance(value, str) else value
        for column, value in enumerate(values)
        if value is not None
    }


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """Open an XLSX file; raise UnreadableXlsx if that fails. `Workbook.rows` raises it too if a sheet is damaged."""
    with ExitStack() as opened:
        with _readable(path):
            _check_sizes(path)
            reader = DiskTextReader(path, opened)
            reader.read()
        yield Workbook(path, reader.wb)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableXlsx as error:
        raise UnreadableXlsx(f"{path} is not a readable XLSX file: {error}") from error
    except _DAMAGED as error:
        raise UnreadableXlsx(
            f"{path} is not a readable XLSX file: {type(error).__name__}: {error}"
        ) from error


def _check_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.file_size > LARGEST_PART:
                raise UnreadableXlsx(
                    f"{part.filename} unpacks to {part.file_size} bytes; {LARGEST_PART} are allowed"
                )
