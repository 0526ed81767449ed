"""Pure functions that compute the differences between two records of a company, and undo recorded changes.

A change names a field of CompanyFacts, or `statements/{year}`. Its `old` and `new` are the field's values as JSON. The
remarks of all fields are one field, `remarks`; the remark of a party is a part of the party.
For a statement that both records have, they hold only the values that differ, and None for a line that the record
lacks. For a new statement, `new` holds the lines of its key figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from warehouse.records.models import (
    KEY_FIGURES,
    LIMITS,
    Change,
    CompanyFacts,
    CompanyProfile,
    Statement,
    StatementLine,
)

_LISTS = ("founders", "administrators", "licensed_activities", "unlicensed_activities")
FIELDS = tuple(field for field in CompanyProfile.model_fields if field not in ("idno", *LIMITS))
"""The fields of a company's profile that hold facts."""
COMPARED_FIELDS = (*FIELDS, *LIMITS)
"""The fields whose changes are recorded."""
_EMPTY: Mapping[str, Any] = {**dict.fromkeys((*_LISTS, "incomplete_lists"), ()), "remarks": {}}
"""The empty values of the fields that are never None."""
_HEAD = ("currency", "document_type", "cuiio")
_JSON = TypeAdapter(Any)


@dataclass(frozen=True)
class Difference:
    """A field whose value differs between two records of a company."""

    field: str
    old: Any
    new: Any


def differences(old: CompanyFacts, new: CompanyFacts) -> list[Difference]:
    """Return the differences between two records of a company. The order within a list does not matter."""
    changed = []
    for field in COMPARED_FIELDS:
        one, other = getattr(old, field), getattr(new, field)
        if one == other or (field in _LISTS and sorted(map(repr, one)) == sorted(map(repr, other))):
            continue
        changed.append(Difference(field, _as_json(one), _as_json(other)))
    return changed + _statement_differences(old, new)


def undo_changes(facts: CompanyFacts, changes: Iterable[Change]) -> CompanyFacts:
    """Return the facts as they were before `changes`.

    `changes` are the company's newest changes, without gaps, newest first.
    """
    plain = {field: getattr(facts, field) for field in CompanyProfile.model_fields}
    statements = {statement.year: statement for statement in facts.statements}
    for change in changes:
        field, _, year = change.field.partition("/")
        if not year:
            plain[field] = _EMPTY.get(field) if change.old is None else change.old
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
    changed = []
    for year in sorted(before.keys() | after.keys()):
        one, other = before.get(year), after.get(year)
        if one == other:
            continue
        new = _outline(other) if one is None and other is not None else _difference(other, one)
        changed.append(Difference(f"statements/{year}", _difference(one, other), new))
    return changed


def _outline(statement: Statement) -> Any:
    """Return the key figures of a new statement as JSON. The record holds the other lines."""
    key_lines = {f"{form}/{row}" for form, row in KEY_FIGURES.values()}
    lines = {code: line for code, line in _lines(statement).items() if code in key_lines}
    return _as_json({**{name: getattr(statement, name) for name in _HEAD}, "lines": lines})


def _difference(one: Statement | None, other: Statement | None) -> Any:
    """Return the values of `one` that differ from `other`, a statement of the same year; all values if it is None."""
    if one is None:
        return None
    head = {name: getattr(one, name) for name in _HEAD if getattr(one, name) != getattr(other, name, None)}
    mine, others = _lines(one), _lines(other) if other is not None else {}
    lines = {code: line for code, line in mine.items() if others.get(code) != line}
    lacking = dict.fromkeys(others.keys() - mine.keys())
    return _as_json({**head, "lines": dict(sorted({**lines, **lacking}.items()))})


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


def _as_json(value: Any) -> Any:
    """Return a value as JSON, with None for an empty list or mapping."""
    return None if value in (None, (), {}) else _JSON.dump_python(value, mode="json")
