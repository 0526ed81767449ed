"""Reader of financial statements from the body of `/fin-data` (API of openmoney.md): one flat object for each year."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pipeline.transform.amounts import parse_amount
from pipeline.transform.json.audit import KeyAudit
from pipeline.transform.json.values import code_of, is_absent, text_of
from pipeline.transform.reading import STATEMENT_YEARS, STATEMENTS, Unread, abbreviate
from pipeline.transform.source_text import comparison_key
from warehouse.records.models import KEY_FIGURES, Statement, StatementLine

_CODE = re.compile(r"CODE_([5-8])_([0-9]{3})(?:_(.*))?", re.DOTALL)
_ROWS_REFERRED_TO = re.compile(r"(?: ?\brd\.? ?[0-9]{3})+$")
_YEAR = re.compile(r"[0-9]{4}")
_LARGEST = 10**15


@dataclass(frozen=True)
class FiledStatements:
    """A company's statements in a capture's bodies.

    `is_stated` is true if a body with the list of statements is present, even if the list is empty.
    """

    statements: tuple[Statement, ...] = ()
    is_stated: bool = False
    unread: tuple[Unread, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Row:
    """The amounts and labels of one row of a form.

    The source can repeat a row: under a short key (`CODE_5_430`), and under the same key with a label at its end.
    """

    values: list[Decimal] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def read_statements(contents: Iterable[Any], idno: str) -> FiledStatements:
    """Read the statements of the company `idno` from a capture's parsed bodies.

    Each entry contains the IDNO of its company, so entries of other companies are skipped.
    """
    lists = [content for content in contents if isinstance(content, list)]
    entries = [entry for content in lists for entry in content if _is_statement(entry, idno)]
    if not entries:
        # The body alone does not tell which request it answers. Only the request for statements is answered with a
        # list, so an empty list means "no statements".
        return FiledStatements(is_stated=lists == [[]])
    notes: list[str] = []
    unknown: list[str] = []
    not_read: list[Unread] = []
    read = [_statement(entry, notes, unknown, not_read) for entry in entries]
    statements = [statement for statement in read if statement is not None]
    kept = _one_per_year(statements, notes)
    unread = [line for statement in kept for line in _unread_lines(statement)]
    return FiledStatements(kept, True, (*not_read, *unread), tuple(unknown), tuple(notes))


def _unread_lines(statement: Statement) -> Iterator[Unread]:
    """Yield the lines in the places of key figures that are none, because nothing says what they mean."""
    if all(line.label for line in statement.lines):
        return  # as in nearly all statements; then the key figures need not be looked for
    figures = statement.figures()
    places = {code: name for name, code in KEY_FIGURES.items() if name not in figures}
    for line in statement.lines:
        if (name := places.get((line.form, line.row))) and not line.label:
            text = f"{statement.year} {line.form}/{line.row}: {line.value}"
            reason = f"{name}: the row has no label, and the document type {statement.document_type!r} is not known"
            yield Unread(STATEMENTS, text, reason)


def _is_statement(entry: Any, idno: str) -> bool:
    return isinstance(entry, dict) and entry.get("idno") == idno and "year" in entry


def _one_per_year(statements: Sequence[Statement], notes: list[str]) -> tuple[Statement, ...]:
    """Return one statement for each year, the newest first.

    If the statements of a year differ, the year is left out and a note is added.
    """
    by_year: dict[int, list[Statement]] = {}
    for statement in statements:
        of_year = by_year.setdefault(statement.year, [])
        if statement not in of_year:
            of_year.append(statement)
    for year, of_year in by_year.items():
        if len(of_year) > 1:
            notes.append(f"{STATEMENTS}: {len(of_year)} different ones of {year}")
    return tuple(by_year[year][0] for year in sorted(by_year, reverse=True) if len(by_year[year]) == 1)


def _year_of(value: Any) -> int | None:
    """Return a year that is written as a number or as a text of four digits; None if it is neither."""
    if isinstance(value, str) and _YEAR.fullmatch(value.strip()):
        value = int(value)
    is_year = isinstance(value, int) and not isinstance(value, bool) and value in STATEMENT_YEARS
    return value if is_year else None


def _statement(
    entry: Mapping[str, Any], notes: list[str], unknown: list[str], not_read: list[Unread]
) -> Statement | None:
    audit = KeyAudit(entry, kind="fin-data", path="fin-data")
    audit.take("idno")
    written = audit.take("year")
    year = _year_of(written)
    document_type, cuiio = text_of(audit.take("doctype")), code_of(audit.take("cuiio"))
    codes = {key: code for key in entry if (code := _code_in(key))}
    audit.take_all(codes)
    unknown += audit.unknown()
    if year is None:
        notes.append(f"{STATEMENTS}: no year: {abbreviate(written)}")
        not_read.append(Unread(STATEMENTS, abbreviate(written), "year: it is not a year of a statement"))
        return None
    rows: dict[tuple[int, str], _Row] = {}
    for key, (form, number, label) in codes.items():
        row = rows.setdefault((form, number), _Row())
        if label:
            row.labels.append(label)
        value = entry[key]
        if (amount := _amount(value)) is not None:
            row.values.append(amount)
        elif not is_absent(value):
            notes.append(f"{STATEMENTS}: {f'{year} {key}'[:60]}: no amount: {abbreviate(value)}")
            not_read.append(Unread(STATEMENTS, abbreviate(value), f"{year} {key[:40]}: it is no amount"))
    lines = (_line(code, rows[code], year, notes) for code in sorted(rows))
    return Statement(
        year=year,
        document_type=document_type,
        cuiio=cuiio,
        lines=tuple(line for line in lines if line is not None),
    )


def _amount(value: Any) -> Decimal | None:
    match value:
        case bool():
            return None
        case int():
            return Decimal(value) if abs(value) < _LARGEST else None
        case Decimal():
            return value if value.is_finite() and abs(value) < _LARGEST else None
        case str():
            return parse_amount(value)
        case _:
            return None


def _line(code: tuple[int, str], row: _Row, year: int, notes: list[str]) -> StatementLine | None:
    """Return the row as a line; None if it has no amount, or if its keys state different amounts or labels."""
    if not row.values:
        return None
    if len(set(row.values)) > 1 or (len(row.labels) > 1 and len(set(map(comparison_key, row.labels))) > 1):
        notes.append(
            f"{STATEMENTS}: {year} {code[0]}/{code[1]}: {abbreviate(row.labels)}: {abbreviate(row.values)}"
        )
        return None
    return StatementLine(*code, row.values[0], row.labels[0] if row.labels else None)


@lru_cache(maxsize=4096)  # all companies file the same forms
def _code_in(key: str) -> tuple[int, str, str | None] | None:
    """Return the form, the row and the label in a key; None if it is no code: "CODE_5_430" → (5, "430", None)."""
    match = _CODE.fullmatch(key)
    return (int(match[1]), match[2], row_label(match[3] or "")) if match else None


@lru_cache(maxsize=1024)  # all companies file the same forms
def row_label(slug: str) -> str | None:
    """Return a row's label from the slug in its key, without the numbers of other rows at the end ("rd_060_rd_070")."""
    label = " ".join(slug.replace("_", " ").split())
    return _ROWS_REFERRED_TO.sub("", label).strip() or None
