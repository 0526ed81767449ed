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
        [],
        [title + _NOTES.get(title, "") for title in titles],
        *([_COLUMNS[title](facts) for title in titles] for facts in companies),
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


def _written(value: Cell, options: RegisterOptions) -> Cell:
    if isinstance(value, date) and not options.real_dates:
        return value.strftime("%d.%m.%Y")
    if options.numeric_idnos and isinstance(value, str) and value.isdecimal() and len(value) == 13:
        return int(value)
    return value


def _founder(party: SiteParty) -> str:
    return party.name if party.share is None else f"{party.name} ({party.share:g}%)"


def _director(party: SiteParty) -> str:
    return f"{party.name} [{party.role or 'ADMINISTRATOR'}]"
