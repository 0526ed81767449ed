"""Rows of an XLSX sheet as a stream.

openpyxl's reader keeps the table of texts in memory, and a stub of every row: a gigabyte for the register. Here
memory stays flat, whatever a file holds. Formats and formulas mean nothing; which numbers are dates is known from
their column (see `Workbook.as_day`).
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from xml.parsers import expat

from pipeline.register.xlsx_parts import NotXlsx, Row, SheetReader, TextReader, Texts, Value, elements, parse

LARGEST_PART = 4 * 1024**3
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)
"""What zipfile and expat raise for a file that is not as it should be."""
_EPOCH_1900 = date(1899, 12, 30)  # day 0, so that today comes out right in spite of the format's 29.02.1900
_EPOCH_1904 = date(1904, 1, 1)


@dataclass(frozen=True)
class Workbook:
    """An open XLSX."""

    archive: zipfile.ZipFile
    sheets: dict[str, str]
    """By name, the part of the file that holds it."""
    texts: Texts
    epoch: date

    def rows(self, sheet: str) -> Iterator[tuple[int, Row]]:
        """Yield the rows that hold something, each with its number, from 1."""
        reader = SheetReader(self.texts)
        for _ in parse(self.archive, self.sheets[sheet], reader):
            yield from reader.take()

    def as_day(self, value: Value | None) -> Value | date | None:
        """Return the date that a number in a column of dates stands for; anything else as it is."""
        if isinstance(value, bool) or not isinstance(value, float):
            return value
        try:
            return self.epoch + timedelta(days=int(value))
        except (OverflowError, ValueError):  # no number, or past the year 9999
            return value


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """Open an XLSX. Raises NotXlsx; damage that shows later raises it inside the block."""
    try:
        with zipfile.ZipFile(path) as archive, closing(Texts()) as texts:
            _check_sizes(archive)
            yield _read(archive, texts)
    except NotXlsx as error:
        raise NotXlsx(f"{path} is no XLSX that can be read: {error}") from error
    except _DAMAGED as error:
        raise NotXlsx(f"{path} is no XLSX that can be read: {type(error).__name__}: {error}") from error


def _check_sizes(archive: zipfile.ZipFile) -> None:
    for part in archive.infolist():
        if part.file_size > LARGEST_PART:
            raise NotXlsx(f"{part.filename} unpacks to {part.file_size} bytes, {LARGEST_PART} are allowed")


def _read(archive: zipfile.ZipFile, texts: Texts) -> Workbook:
    book = next((part for kind, _, part in _relations(archive, "") if kind == "officeDocument"), None)
    if book is None:
        raise NotXlsx("it is a ZIP file without a workbook")
    relations = _relations(archive, book)
    for kind, _, part in relations:
        if kind == "sharedStrings":
            for _ in parse(archive, part, TextReader(texts)):
                pass
    parts = {id_: part for _, id_, part in relations}
    sheets, epoch = {}, _EPOCH_1900
    for name, attributes in elements(archive, book):
        if name == "sheet":
            id_ = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            sheets[attributes.get("name", "")] = parts.get(id_, "")
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = _EPOCH_1904
    return Workbook(archive, sheets, texts, epoch)


def _relations(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str, str]]:
    """Return what a part refers to: kind, id, part."""
    folder, name = posixpath.split(part)
    return [
        (
            attributes.get("Type", "").rsplit("/", 1)[-1],
            attributes.get("Id", ""),
            posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for element, attributes in elements(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
        if element == "Relationship" and attributes.get("TargetMode") != "External"
    ]
