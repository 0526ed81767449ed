"""Writer of a made-up register file of any size. It needs little memory, because it writes the XML itself."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from standin.site_facts import make_idno

COLUMNS = (
    "IDNO/ Cod fiscal",
    "Data înregistrării",
    "Denumirea completă",
    "Forma org./jurid.",
    "Adresa",
    "Lista conducătorilor",
    "Lista fondatorilor",
    "Data lichidării",
)
_FIRST_DAY = 33_970
"""The day number of XLSX for the first date of registration, in January 1993."""
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FIXED_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
    f'"{_TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type='
    f'"{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_OFFICE}"><sheets><sheet name="Company" sheetId="1"'
    ' r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type='
    f'"{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_OFFICE}/sharedStrings"'
    ' Target="sharedStrings.xml"/></Relationships>',
}


class _SharedTexts:
    """The table of texts of an XLSX file; short texts that repeat are stored once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._count, self._repeated = file, 0, dict[str, int]()

    def number(self, text: str, *, repeats: bool = False) -> int:
        """Return the number of a text in the table; add the text if it is new."""
        if text in self._repeated:
            return self._repeated[text]
        if repeats:
            self._repeated[text] = self._count
        self._file.write(f"<si><t>{escape(text)}</t></si>".encode())
        self._count += 1
        return self._count - 1


def write_large_register(path: Path, rows: int) -> Path:
    """Write a register of `rows` companies in the form that dataset.gov.md published in September 2026.

    There is a title above the header, IDNOs are numbers, dates are day numbers, shares have a decimal comma, and the
    last row holds a number.
    """
    texts_path = path.with_suffix(".texts")
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        texts_path.open("wb") as texts_file,
    ):
        for name, content in _FIXED_PARTS.items():
            archive.writestr(name, content)
        texts = _SharedTexts(texts_file)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<worksheet xmlns="{_NAMESPACE}"><sheetData>'.encode())
            sheet.writelines(row.encode() for row in _rows(texts, rows))
            sheet.write(b"</sheetData></worksheet>")
        texts_file.flush()
        with (
            archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as target,
            texts_path.open("rb") as source,
        ):
            target.write(f'<sst xmlns="{_NAMESPACE}">'.encode())
            while block := source.read(1 << 20):
                target.write(block)
            target.write(b"</sst>")
    texts_path.unlink()
    return path


def _rows(texts: _SharedTexts, count: int) -> Iterator[str]:
    yield _row(1, [_text(texts, "Registrul de stat al unităților de drept")])
    yield _row(2, [_text(texts, title) for title in COLUMNS])
    for number in range(count):
        yield _row(number + 3, list(_company(texts, number)))
    yield _row(count + 3, [f"<v>{count}</v>"])


def _row(number: int, cells: list[str | None]) -> str:
    written = "".join(
        f'<c r="{chr(65 + column)}{number}"{cell[2:] if cell.startswith("<c") else ">" + cell}</c>'
        for column, cell in enumerate(cells)
        if cell is not None
    )
    return f'<row r="{number}">{written}</row>'


def _company(texts: _SharedTexts, number: int) -> Iterator[str | None]:
    yield f"<v>{make_idno(number)}</v>"
    yield f"<v>{_FIRST_DAY + number % 12_000}</v>"
    yield _text(texts, f"Societatea cu Răspundere Limitată MODEL-PROBĂ {number}")
    yield _text(texts, ("SRL", "SA", "ÎI", "GȚ")[number % 4], repeats=True)
    yield _text(
        texts, f"MD-{2000 + number % 80}, mun. Chișinău, str. Exemplului, {number % 300}, ap. {number}"
    )
    yield _text(texts, f"RUSU-TEST ION {number} [Administrator]")
    yield _text(texts, f"RUSU-TEST ION {number} (60,00%), CEBAN-TEST ANA {number} (40,00%)")
    yield (
        f"<v>{_FIRST_DAY + 12_000 + number % 300}</v>" if number % 5 == 0 else _text(texts, "-", repeats=True)
    )


def _text(texts: _SharedTexts, text: str, *, repeats: bool = False) -> str:
    return f'<c t="s"><v>{texts.number(text, repeats=repeats)}</v>'
