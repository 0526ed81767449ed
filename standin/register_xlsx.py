"""Writer of a made-up bulk register: an XLSX of the stand-in site's companies, in the format of dataset.gov.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from standin.site_facts import SiteCompany, SiteParty, facts_of, make_idno, seeded_random

SHEET = "Company"
LIQUIDATED_ONE_IN = 5

Cell = str | int | float | date | None


@dataclass(frozen=True, kw_only=True)
class RegisterOptions:
    """Options for writing a register."""

    sheet: str = SHEET
    real_dates: bool = False
    """Write dates as Excel dates instead of texts (dd.mm.yyyy)."""
    numeric_idnos: bool = False
    inline_texts: bool = False
    """Write each text into its cell instead of into the file's shared table of texts."""
    without: Sequence[str] = ()
    """Titles of columns to leave out."""
    extra_rows: Sequence[Sequence[Cell]] = ()
    """Rows to append after the companies."""
    compact_title: bool = False
    """Write the header in the row below the title, instead of one row lower."""
    decimal_comma: bool = False
    not_liquidated: Cell = None
    """What "Data lichidării" holds for a company that was not liquidated."""

    @classmethod
    def of_2026(cls, companies: int) -> "RegisterOptions":
        """Return the options for a file as it was published in September 2026; its last row holds a number."""
        return cls(
            real_dates=True,
            numeric_idnos=True,
            without=["Lista beneficiarilor efectivi"],
            extra_rows=[[companies]],
            compact_title=True,
            decimal_comma=True,
            not_liquidated="-",
        )


_COLUMNS: dict[str, Callable[[SiteCompany], Cell]] = {
    "IDNO/ Cod fiscal": lambda facts: facts.idno,
    "Data înregistrării": lambda facts: facts.registered_on,
    "Denumirea completă": lambda facts: facts.name,
    "Forma org./jurid.": lambda facts: facts.legal_form,
    "Adresa": lambda facts: facts.address.full_name if facts.address else None,
    "Lista conducătorilor": lambda facts: ", ".join(map(_director, facts.administrators)),
    "Lista fondatorilor": lambda facts: ", ".join(map(_founder, facts.founders)),
    "Lista beneficiarilor efectivi": lambda facts: ", ".join(
        f"{founder.name} (Moldova)" for founder in facts.founders
    ),
    "Data lichidării": lambda facts: liquidated_on(facts.idno),
}
_NOTES = {"Data înregistrării": " (zz.ll.aaaa)", "Lista fondatorilor": " (cota)"}


def write_register(path: Path, numbers: Sequence[int], options: RegisterOptions | None = None) -> Path:
    """Write a register of the companies with these `numbers` (see `make_idno`) to `path`; return `path`."""
    options = options or RegisterOptions()
    titles = [title for title in _COLUMNS if title not in options.without]
    companies = [facts_of(make_idno(number)) for number in numbers]
    rows: list[Sequence[Cell]] = [
        ["Registrul de stat al unităților de drept"],
        *([] if options.compact_title else [[]]),
        [title + _NOTES.get(title, "") for title in titles],
        *([_cell(title, facts, options) for title in titles] for facts in companies),
        *options.extra_rows,
    ]
    book_options = {"default_date_format": "dd.mm.yyyy", "constant_memory": options.inline_texts}
    with xlsxwriter.Workbook(path, book_options) as book:
        book.add_worksheet("Despre").write(0, 0, "Date deschise")
        sheet = book.add_worksheet(options.sheet)
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                sheet.write(row, column, _written(value, options))
    return path


def liquidated_on(idno: str) -> date | None:
    """Return the date on which a company was liquidated; None if it was not, like most companies."""
    rng = seeded_random("liquidated", idno)
    is_gone = rng.randrange(LIQUIDATED_ONE_IN) == 0
    return date(2020, 1, 1) + timedelta(days=rng.randrange(2000)) if is_gone else None


def _cell(title: str, facts: SiteCompany, options: RegisterOptions) -> Cell:
    value = _COLUMNS[title](facts)
    if title == "Data lichidării" and value is None:
        return options.not_liquidated
    if title == "Lista fondatorilor" and options.decimal_comma:
        return ", ".join(_founder(party, comma=True) for party in facts.founders)
    return value


def _written(value: Cell, options: RegisterOptions) -> Cell:
    if isinstance(value, date) and not options.real_dates:
        return value.strftime("%d.%m.%Y")
    if options.numeric_idnos and isinstance(value, str) and value.isdecimal() and len(value) == 13:
        return int(value)
    return value


def _founder(party: SiteParty, *, comma: bool = False) -> str:
    if party.share is None:
        return party.name
    share = f"{party.share:.2f}".replace(".", ",") if comma else f"{party.share:g}"
    return f"{party.name} ({share}%)"


def _director(party: SiteParty) -> str:
    return f"{party.name} [{party.role or 'ADMINISTRATOR'}]"
