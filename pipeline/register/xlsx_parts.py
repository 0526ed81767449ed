"""The XML parts of an XLSX, read by expat as they are unpacked: never a whole part in memory."""

import mmap
import re
import tempfile
from array import array
from collections.abc import Iterator
from typing import Protocol
from xml.parsers import expat
from zipfile import ZipFile

Value = str | float | bool
Row = dict[int, Value]
"""By column, from 0; empty cells are left out."""

MOST_COLUMNS = 256
"""What stands further right is not read."""
MOST_ROWS = 1_048_576
"""Of a sheet, as the format has it."""
LONGEST_TEXT = 1_000_000
"""A cell holds 32,767 characters."""
_MOST_ELEMENTS = 100_000
_CHUNK = 1 << 16
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class NotXlsx(ValueError):
    """The file is no XLSX that can be read; the message says what is wrong with it."""


class Reader(Protocol):
    """Handles what expat finds; names come without their namespace."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def data(self, text: str) -> None:
        """Text in between."""


def parse(archive: ZipFile, part: str, reader: Reader) -> Iterator[None]:
    """Have a part read; yield after each stretch of it. Raises NotXlsx, and what zipfile and expat raise."""
    if part not in archive.NameToInfo:
        raise NotXlsx(f"its part {part or '(unnamed)'} is missing")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: reader.start(name.rpartition(" ")[2], attributes)
    parser.EndElementHandler = lambda name: reader.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse_doctype  # entities that grow, or read other files
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            parser.Parse(chunk)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    raise NotXlsx("it declares a document type")


def elements(archive: ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a small part with their attributes."""
    reader = _Elements()
    for _ in parse(archive, part, reader):
        if len(reader.found) > _MOST_ELEMENTS:
            raise NotXlsx(f"its part {part} has more than {_MOST_ELEMENTS} elements")
    return reader.found


class _Elements:
    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.found.append((name, attributes))

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class Texts:
    """The table of texts that cells refer to, in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._ends = array("Q", [0])
        self._content: mmap.mmap | bytes | None = None

    def append(self, text: str) -> None:
        """Add the next text."""
        content = text.encode("utf-8", errors="replace")
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))

    def __getitem__(self, number: int) -> str:
        """Return a text. Raises NotXlsx."""
        if not 0 <= number < len(self._ends) - 1:
            raise NotXlsx(f"a cell refers to text {number} of {len(self._ends) - 1}")
        if self._content is None:
            self._file.flush()
            empty = self._ends[-1] == 0
            self._content = b"" if empty else mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._content[self._ends[number] : self._ends[number + 1]].decode("utf-8")

    def close(self) -> None:
        """Remove the file."""
        if isinstance(self._content, mmap.mmap):
            self._content.close()
        self._file.close()


class _Gathered:
    """The text of `<t>` and `<v>` as it comes in, without phonetic hints (`<rPh>`)."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._length, self._is_open, self._is_hint = 0, False, False

    def begin(self) -> None:
        self.parts, self._length, self._is_open, self._is_hint = [], 0, False, False

    def start(self, name: str) -> None:
        if name in ("v", "t"):
            self._is_open = True
        elif name == "rPh":
            self._is_hint = True

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._is_open = False
        elif name == "rPh":
            self._is_hint = False

    def data(self, text: str) -> None:
        if self._is_open and not self._is_hint:
            self._length += len(text)
            if self._length > LONGEST_TEXT:
                raise NotXlsx(f"a text has more than {LONGEST_TEXT} characters")
            self.parts.append(text)

    def text(self) -> str:
        text = "".join(self.parts)
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class TextReader:
    """Reads the table of texts."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self._gathered = texts, _Gathered()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "si":
            self._gathered.begin()
        else:
            self._gathered.start(name)

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "si":
            self._texts.append(self._gathered.text())
        else:
            self._gathered.end(name)

    def data(self, text: str) -> None:
        """Text in between."""
        self._gathered.data(text)


class SheetReader:
    """Reads a sheet's rows."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self._gathered = texts, _Gathered()
        self._rows: list[tuple[int, Row]] = []
        self._row: Row = {}
        self._number, self._column, self._kind = 0, -1, "n"

    def take(self) -> list[tuple[int, Row]]:
        """Return the rows that have come in since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind = attributes.get("t", "n")
            self._gathered.begin()
        elif name == "row":
            self._row, self._column = {}, -1
            self._number = _whole(attributes.get("r", self._number + 1))
            if self._number > MOST_ROWS:
                raise NotXlsx(f"row {self._number}: a sheet has at most {MOST_ROWS} rows")
        else:
            self._gathered.start(name)

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "c":
            value = self._value()
            if value is not None and 0 <= self._column < MOST_COLUMNS:
                self._row[self._column] = value
        elif name == "row":
            if self._row:
                self._rows.append((self._number, self._row))
        else:
            self._gathered.end(name)

    def data(self, text: str) -> None:
        """Text in between."""
        self._gathered.data(text)

    def _value(self) -> Value | None:
        text = self._gathered.text()
        if not text or self._kind == "e":  # an error such as #N/A
            return None
        match self._kind:
            case "s":
                return self._texts[_whole(text)] or None
            case "b":
                return text.strip() in ("1", "true")
            case "n":
                return _number(text)
        return text


def _column(reference: str) -> int:
    """Return the column of a reference such as AB12, from 0."""
    column = 0
    for letter in reference[:8]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    return column - 1


def _whole(text: str | int) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotXlsx(f"{str(text)[:40]!r} where a whole number belongs") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise NotXlsx(f"{text[:40]!r} where a number belongs") from None
