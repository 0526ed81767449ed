"""Tests of the bulk register: parsing of its rows, and rejection of other and damaged files."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.register import xlsx
from pipeline.register.listing import ListedCompany
from pipeline.register.workbook import UnreadableRegister, file_source, walk_workbook
from standin.register_xlsx import Cell, RegisterOptions, liquidated_on, write_register
from standin.site_facts import facts_of, make_idno

NUMBERS = range(25)
HEADER = [
    "IDNO/ Cod fiscal",
    "Denumirea completă",
    "Forma org./jurid.",
    "Data înregistrării",
    "Data lichidării",
]


def _expected(number: int) -> ListedCompany:
    facts = facts_of(make_idno(number))
    is_active = liquidated_on(facts.idno) is None
    return ListedCompany(facts.idno, facts.name, facts.legal_form, is_active, facts.registered_on)


def _companies(path: Path, *, page: int = 0, size: int = 10) -> list[ListedCompany]:
    pages = walk_workbook(path, page=page, size=size)
    return [company for sweep_page in pages for company in sweep_page.parsed.companies]


def _workbook(
    path: Path, *rows: Sequence[object], sheet: str = "Company", options: dict[str, Any] | None = None
) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd.mm.yyyy", **(options or {})}) as book:
        written = book.add_worksheet(sheet)
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                if value == "#N/A":
                    written.write_formula(row, column, "=NA()", None, value)
                else:
                    written.write(row, column, value)
    return path


def _rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Change one part of an XLSX file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert part in parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)
    return path


@pytest.mark.parametrize(
    "options",
    [
        RegisterOptions(),
        RegisterOptions(real_dates=True),
        RegisterOptions(numeric_idnos=True),
        RegisterOptions(inline_texts=True),
        RegisterOptions(sheet="COMPANY "),
    ],
)
def test_every_row_is_read_page_by_page(tmp_path: Path, options: RegisterOptions) -> None:
    path = write_register(tmp_path / "register.xlsx", NUMBERS, options)
    pages = list(walk_workbook(path, page=0, size=10))

    assert [page.parsed.row_count for page in pages] == [10, 10, 5]
    assert [page.is_last for page in pages] == [False, False, True]
    assert _companies(path) == [_expected(number) for number in NUMBERS]
    assert {company.is_active for company in _companies(path)} == {True, False}


def test_a_walk_can_start_at_a_later_page_of_the_file(tmp_path: Path) -> None:
    path = write_register(tmp_path / "register.xlsx", NUMBERS)
    assert _companies(path, page=2) == [_expected(number) for number in range(20, 25)]
    assert _companies(path, page=9) == []


def test_a_rejected_row_is_reported_with_its_number_in_the_sheet(tmp_path: Path) -> None:
    extra: list[list[Cell]] = [
        ["1003600069774", None, "FALSĂ"],
        [None, None, "FĂRĂ COD"],
        [make_idno(30), "31.02.2020", "ZIUĂ"],
    ]
    path = write_register(tmp_path / "register.xlsx", range(2), RegisterOptions(extra_rows=extra))
    [page] = walk_workbook(path, page=0, size=10)

    assert [(problem.row, problem.value) for problem in page.parsed.rejected] == [
        (6, "1003600069774"),
        (7, "None"),
    ]
    assert [problem.reason for problem in page.parsed.unreadable] == ["31.02.2020 is not a valid date"]
    assert page.parsed.companies[-1].registered_on is None


def test_a_missing_column_is_reported_and_its_values_are_none(tmp_path: Path) -> None:
    options = RegisterOptions(without=["Data lichidării", "Forma org./jurid."])
    [page] = walk_workbook(write_register(tmp_path / "r.xlsx", range(9), options), page=0, size=10)

    assert page.parsed.missing_fields == {"Data lichidării", "Forma org./jurid."}
    assert {(each.is_active, each.legal_form) for each in page.parsed.companies} == {(None, None)}


@pytest.mark.parametrize(
    "header",
    [
        ["IDNO / Cod fiscal", "Denumirea completă (în limba de stat)"],
        ["IDNO/ COD FISCAL\n(13 cifre)", "  denumirea   COMPLETĂ "],
        ["IDNO/Cod fiscal", "Denumirea completa"],
    ],
)
def test_a_header_is_recognized_in_other_spellings_and_with_notes(
    tmp_path: Path, header: list[object]
) -> None:
    path = _workbook(tmp_path / "r.xlsx", ["la data de 01.09.2026"], header, [make_idno(1), "FIRMA"])
    assert [company.name for company in _companies(path)] == ["FIRMA"]


def test_numbers_errors_dates_and_placeholders_in_cells_are_parsed(tmp_path: Path) -> None:
    path = _workbook(
        tmp_path / "r.xlsx",
        HEADER,
        [
            int(make_idno(1)),
            365,
            "NULL",
            datetime(2003, 7, 9, 12, tzinfo=UTC).replace(tzinfo=None),
            "undefined",
        ],
        [float(make_idno(2)), "#N/A", "SRL", "9.7.2003", date(2020, 1, 1)],
        [make_idno(3), True, 1.5, "curând", "da"],
    )
    [page] = walk_workbook(path, page=0, size=10)
    assert page.parsed.companies == [
        ListedCompany(make_idno(1), "365", None, True, date(2003, 7, 9)),
        ListedCompany(make_idno(2), None, "SRL", False, date(2003, 7, 9)),
        ListedCompany(make_idno(3), None, None, None, None),
    ]
    assert len(page.parsed.unreadable) == 4


def _activity(tmp_path: Path, value: object) -> tuple[bool | None, list[str]]:
    """Read a company with this "Data lichidării". Return whether it is active, and the unreadable values."""
    registered = date(2003, 7, 9)
    path = _workbook(
        tmp_path / "r.xlsx", ["Registrul"], HEADER, [make_idno(1), "FIRMA", "SRL", registered, value]
    )
    [page] = walk_workbook(path, page=0, size=10)
    [company] = page.parsed.companies
    return company.is_active, [problem.value for problem in page.parsed.unreadable]


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            "-",
            "—",
            "–",
            " - ",
            "--",
            "...",
            "/",
            "n/a",
            "N/A",
            "n.a.",
            "null",
            "NULL",
            "undefined",
            "None",
            "",
            " ",
        ),
        *(
            0,
            0.0,
            "0",
            "Nu",
            "lipsă",
            "LIPSEŞTE",
            "Nelichidată",
            "activă",
            "Nu este lichidată",
            "nu există",
            "nu este cazul",
        ),
        *(
            "Нет",
            "отсутствует",
            "не ликвидирована",
            "Действующее",
            "н/д",
            "нет данных",
            "not liquidated",
            "Active",
            "No",
        ),
        *("00.00.0000", "0000-00-00", "\u00a0", "\u200b-"),
    ],
)
def test_a_company_without_a_date_of_liquidation_is_active(tmp_path: Path, value: object) -> None:
    assert _activity(tmp_path, value) == (True, [])


@pytest.mark.parametrize(
    "value",
    [
        *("05.02.2020", "5.2.2020", "2020-02-05", "2020-02-05T00:00:00", "05/02/2020", "5 februarie 2020"),
        *(
            "5 февраля 2020",
            "February 5, 2020",
            " 05.02.2020 ",
            date(2020, 2, 5),
            43866,
            43866.0,
            43866.5,
            "43866",
        ),
    ],
)
def test_a_company_with_a_date_of_liquidation_is_not_active(tmp_path: Path, value: object) -> None:
    assert _activity(tmp_path, value) == (False, [])


@pytest.mark.parametrize(
    "value",
    [
        *(
            "?",
            "da",
            "lichidată",
            "necunoscut",
            "unknown",
            "неизвестно",
            "în curs",
            "2019",
            "05.2019",
            "x",
            True,
        ),
        *(
            "31.02.2020",
            "05.02.2999",
            "31.12.9999",
            "20.08.1111",
            "01.01.1900",
            "01.01.1970",
            1,
            12,
            99999,
            "99999",
            -5,
        ),
        *("05.02.2020 / 06.02.2020", "1003600069773", date(1900, 1, 1)),
    ],
)
def test_an_unreadable_liquidation_leaves_the_status_unknown_and_is_reported(
    tmp_path: Path, value: object
) -> None:
    is_active, reported = _activity(tmp_path, value)
    assert (is_active, len(reported)) == (None, 1)


def test_the_file_of_2026_is_read(tmp_path: Path) -> None:
    path = write_register(tmp_path / "r.xlsx", NUMBERS, RegisterOptions.of_2026(len(NUMBERS)))
    [page] = walk_workbook(path, page=0, size=100)
    assert page.parsed.companies == [_expected(number) for number in NUMBERS]
    assert (page.parsed.unreadable, page.parsed.missing_fields) == ([], set())
    [last] = page.parsed.rejected
    assert (last.row, last.value) == (len(NUMBERS) + 3, str(len(NUMBERS)))


def test_a_repeated_company_of_a_file_is_reported(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "r.xlsx", HEADER, [make_idno(1), "UNA"], [make_idno(1), "ALTA"])
    [page] = walk_workbook(path, page=0, size=10)
    assert [company.name for company in page.parsed.companies] == ["UNA"]
    assert [problem.row for problem in page.parsed.repeated] == [3]


def test_dates_in_the_1904_date_system_are_parsed(tmp_path: Path) -> None:
    rows = (HEADER, [make_idno(1), "FIRMA", None, date(2003, 7, 9)])
    _workbook(tmp_path / "r.xlsx", *rows, options={"date_1904": True})
    assert _companies(tmp_path / "r.xlsx")[0].registered_on == date(2003, 7, 9)


def test_rich_texts_are_joined_without_phonetic_hints(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "r.xlsx", HEADER, [make_idno(1), "FIRMA"])
    hint = b"<rPh sb='0' eb='1'><t>x</t></rPh>"
    runs = b"<si><r><t>FIR</t></r><r><t xml:space='preserve'>MA </t></r>%b<r><t>A_x0026_B</t></r></si>" % hint
    _rewritten(path, "xl/sharedStrings.xml", lambda xml: xml.replace(b"<si><t>FIRMA</t></si>", runs))
    assert _companies(path)[0].name == "FIRMA A&B"


def test_the_source_of_a_file_depends_on_its_content_only(tmp_path: Path) -> None:
    first = write_register(tmp_path / "a.xlsx", range(3))
    (tmp_path / "b.xlsx").write_bytes(first.read_bytes())
    assert file_source(first) == file_source(tmp_path / "b.xlsx")
    assert file_source(first).startswith("xlsx:")
    with pytest.raises(UnreadableRegister, match=r"missing\.xlsx cannot be read: No such file"):
        file_source(tmp_path / "missing.xlsx")


def _without_sheet(path: Path) -> Path:
    return _workbook(path, HEADER, sheet="Foaie1")


def _without_header(path: Path) -> Path:
    return _workbook(path, ["cod", "nume"], [make_idno(1), "FIRMA"])


def _without_idno(path: Path) -> Path:
    return _workbook(path, ["Denumirea completă"], ["FIRMA"])


def _text(path: Path) -> Path:
    path.write_text("IDNO;Denumirea completă\n")
    return path


def _empty(path: Path) -> Path:
    path.touch()
    return path


def _other_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return path


def _cut_off(path: Path) -> Path:
    whole = write_register(path, NUMBERS).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _broken_xml(path: Path) -> Path:
    return _rewritten(
        write_register(path, NUMBERS), "xl/worksheets/sheet2.xml", lambda xml: xml[: len(xml) // 2]
    )


def _missing_part(path: Path) -> Path:
    return _rewritten(
        _workbook(path, HEADER),
        "xl/_rels/workbook.xml.rels",
        lambda xml: xml.replace(b"worksheets/sheet1.xml", b"../../etc/passwd"),
    )


def _wrong_text_number(path: Path) -> Path:
    return _rewritten(
        _workbook(path, HEADER, [make_idno(1), "FIRMA"]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v>5</v>", b"<v>600</v>"),
    )


def _growing_entities(path: Path) -> Path:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    doctype = f'<!DOCTYPE worksheet [<!ENTITY e0 "lol">{entities}]>'.encode()
    return _rewritten(
        _workbook(path, HEADER, [make_idno(1), "FIRMA"]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<worksheet", doctype + b"<worksheet", 1).replace(
            b"<v>5</v>", b"<v>&e12;</v>"
        ),
    )


def _endless_rows(path: Path) -> Path:
    return _rewritten(
        _workbook(path, HEADER, [make_idno(1), "FIRMA"]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999"'),
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_without_sheet, "is not the register: it has no sheet 'Company'; its sheets: 'Foaie1'"),
        (_without_header, "none of the first 100 rows of 'Company' contains 'Denumirea completă'"),
        (_without_idno, "its header has no 'IDNO/ Cod fiscal'"),
        (_text, "is not a readable XLSX file"),
        (_empty, "is not a readable XLSX file"),
        (_other_zip, "no item named '[Content_Types].xml'"),
        (_cut_off, "is not a readable XLSX file"),
        (_broken_xml, "is not a readable XLSX file"),
        (_missing_part, "has no sheet 'Company'; its sheets: none"),
        (_wrong_text_number, "is not a readable XLSX file"),
        (_growing_entities, "is not a readable XLSX file"),
        (_endless_rows, "a sheet can have at most 1048576 rows"),
    ],
)
def test_an_unreadable_file_is_rejected_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    path = make(tmp_path / "register.xlsx")
    with pytest.raises(UnreadableRegister) as error_info:
        _companies(path)
    assert message in str(error_info.value)
    assert "register.xlsx" in str(error_info.value)


def test_a_part_that_unpacks_to_too_many_bytes_is_rejected_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_register(tmp_path / "register.xlsx", NUMBERS)
    monkeypatch.setattr(xlsx, "LARGEST_PART", 1000)
    with pytest.raises(UnreadableRegister, match=r"unpacks to \d+ bytes; 1000 are allowed"):
        _companies(path)


def test_a_highly_compressed_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "register.xlsx", HEADER, [make_idno(1), "FIRMA"])
    padding = b"<!--" + b" " * 1_000_000 + b"-->"
    _rewritten(
        path,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", padding * 50 + b"</sheetData>"),
    )
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from now on (proc(5))
    before = _peak_kilobytes()
    assert [company.name for company in _companies(path)] == ["FIRMA"]
    assert _peak_kilobytes() - before < 20_000


def _peak_kilobytes() -> int:
    """Return the highest number of kilobytes that this process has had in memory."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_register(tmp_path_factory.mktemp("register") / "register.xlsx", range(3)).read_bytes()


@settings(max_examples=100, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), content=st.binary(min_size=1, max_size=40))
def test_a_damaged_file_is_read_or_rejected_without_other_errors(
    register: bytes, tmp_path_factory: pytest.TempPathFactory, position: float, content: bytes
) -> None:
    start = int(position * len(register))
    path = tmp_path_factory.mktemp("damaged") / "damaged.xlsx"
    path.write_bytes(register[:start] + content + register[start + len(content) :])
    try:
        assert len(_companies(path)) <= 3
    except UnreadableRegister as error_info:
        assert "damaged.xlsx" in str(error_info)


# Characters that XML can contain. The prefixes below avoid texts of digits, which XlsxWriter writes as numbers.
_TEXT = st.text(
    st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\ufffe\uffff"), max_size=30
)


@given(name=_TEXT, form=_TEXT)
@settings(max_examples=50, deadline=None)
def test_any_text_in_a_cell_is_read_unchanged(
    tmp_path_factory: pytest.TempPathFactory, name: str, form: str
) -> None:
    path = _workbook(
        tmp_path_factory.mktemp("any") / "r.xlsx", HEADER, [make_idno(1), f"N{name}", f"F{form}"]
    )
    [company] = _companies(path)
    assert (company.name, company.legal_form) == (f"N{name}".strip(), f"F{form}".strip())
