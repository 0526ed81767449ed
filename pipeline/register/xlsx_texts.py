"""The table of texts of an XLSX file, kept in a temporary file instead of in memory.

Cells of an XLSX file refer to texts by number. openpyxl loads the whole table as a list; for the register, that is most
of its memory.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from openpyxl.cell.text import Text
from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

_TEXT_TAG = f"{{{SHEET_MAIN_NS}}}si"


class TextTable:
    """Texts by number. Each is read from a temporary file; only its position is in memory."""

    def __init__(self, file: IO[bytes], texts: Iterator[str]) -> None:
        self._file, self._ends = file, array("Q", [0])
        for text in texts:
            self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", errors="surrogatepass")))
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        """Return a text. Raise IndexError if the table does not have it."""
        if not 0 <= number < len(self._ends) - 1:
            raise IndexError(f"text {number} of {len(self._ends) - 1}")
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", errors="surrogatepass")


class DiskTextReader(ExcelReader):
    """openpyxl's reader, with the table of texts in a temporary file."""

    package: Manifest
    shared_strings: TextTable | list[str]  # type: ignore[assignment]  # openpyxl only reads texts by number

    def __init__(self, path: Path, opened: ExitStack) -> None:
        super().__init__(path, read_only=True, data_only=True, keep_links=False)
        self._opened = opened
        opened.callback(self.archive.close)

    def read_strings(self) -> None:
        """Read the texts; openpyxl calls this before it reads the sheets."""
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is not None:
            file = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack closes it
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = TextTable(file, _texts(source))


def _texts(source: IO[bytes]) -> Iterator[str]:
    """Yield the texts of the table `source`, as openpyxl's `read_string_table` does.

    <sst><si><t>FIRMA</t></si></sst>  →  FIRMA
    """
    root = None
    for event, node in iterparse(source, events=("start", "end")):
        if root is None:
            root = node
        elif event == "end" and node.tag == _TEXT_TAG:
            text = Text.from_tree(node)
            yield text.content.replace("x005F_", "") if text else ""
            root.clear()  # otherwise the tree keeps an empty element for each text
