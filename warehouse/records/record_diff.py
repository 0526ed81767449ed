"""What differs between two records of a company, and a record as it was before: pure, both ways in one place.

A change names a field of CompanyFacts, or `statements/{year}`. Its `old` and `new` are the field's values as JSON. Of
a year's statement that is on both sides they hold what differs alone, a line that one side lacks being None there;
of one that is new, the key figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from warehouse.records.models import (
    KEY_FIGURES,
    Change,
    CompanyFacts,
    CompanyProfile,
    Statement,
    StatementLine,
)

_LISTS = ("founders", "administrators", "licensed_activities", "unlicensed_activities")
FIELDS = tuple(field for field in CompanyProfile.model_fields if field != "idno")
_HEAD = ("currency", "document_type", "cuiio")
_JSON = TypeAdapter(Any)


@dataclass(frozen=True)
class Difference:
    """A field that two records of a company have otherwise."""

    field: str
    old: Any
    new: Any


def differences(old: CompanyFacts, new: CompanyFacts) -> list[Difference]:
    """Return what differs between two records of one company; the order within a list is no difference."""
    found = []
    for field in FIELDS:
        one, other = getattr(old, field), getattr(new, field)
        if one == other or (field in _LISTS and sorted(map(repr, one)) == sorted(map(repr, other))):
            continue
        found.append(Difference(field, _plain(one), _plain(other)))
    return found + _statement_differences(old, new)


def as_of(facts: CompanyFacts, changes: Iterable[Change]) -> CompanyFacts:
    """Return the facts as they were before these changes, which are the last ones, the newest first."""
    plain = {field: getattr(facts, field) for field in CompanyProfile.model_fields}
    statements = {statement.year: statement for statement in facts.statements}
    for change in changes:
        field, _, year = change.field.partition("/")
        if not year:
            plain[field] = change.old if change.old is not None or field not in _LISTS else ()
        elif change.old is None:
            statements.pop(int(year), None)
        elif change.new is None:
            statements[int(year)] = _restored(Statement(year=int(year)), change.old)
        else:
            statements[int(year)] = _restored(statements[int(year)], change.old)
    newest_first = tuple(statements[year] for year in sorted(statements, reverse=True))
    return CompanyFacts(**plain, statements=newest_first)


def _statement_differences(old: CompanyFacts, new: CompanyFacts) -> list[Difference]:
    before = {statement.year: statement for statement in old.statements}
    after = {statement.year: statement for statement in new.statements}
    found = []
    for year in sorted(before.keys() | after.keys()):
        one, other = before.get(year), after.get(year)
        if one == other:
            continue
        new = _outline(other) if one is None and other is not None else _difference(other, one)
        found.append(Difference(f"statements/{year}", _difference(one, other), new))
    return found


def _outline(statement: Statement) -> Any:
    """A statement that is new, by its key figures: all its lines stand in the record."""
    shown = {f"{form}/{row}" for form, row in KEY_FIGURES.values()}
    lines = {code: line for code, line in _lines(statement).items() if code in shown}
    return _plain({**{name: getattr(statement, name) for name in _HEAD}, "lines": lines})


def _difference(one: Statement | None, other: Statement | None) -> Any:
    """What a statement has otherwise than another of the same year; all of it where there is no other."""
    if one is None:
        return None
    head = {name: getattr(one, name) for name in _HEAD if getattr(one, name) != getattr(other, name, None)}
    mine, others = _lines(one), _lines(other) if other is not None else {}
    lines = {code: line for code, line in mine.items() if others.get(code) != line}
    lacking = dict.fromkeys(others.keys() - mine.keys())
    return _plain({**head, "lines": dict(sorted({**lines, **lacking}.items()))})


def _lines(statement: Statement) -> dict[str, Any]:
    return {
        f"{line.form}/{line.row}": {"value": str(line.value), "label": line.label} for line in statement.lines
    }


def _restored(statement: Statement, old: Mapping[str, Any]) -> Statement:
    lines = {**_lines(statement), **old["lines"]}
    head = {name: old.get(name, getattr(statement, name)) for name in _HEAD}
    kept = tuple(
        StatementLine(
            int(code.partition("/")[0]), code.partition("/")[2], Decimal(line["value"]), line["label"]
        )
        for code, line in sorted(lines.items())
        if line is not None
    )
    return Statement(year=statement.year, lines=kept, **head)


def _plain(value: Any) -> Any:
    """A value as JSON has it; None where there is nothing."""
    return None if value in (None, ()) else _JSON.dump_python(value, mode="json")
