"""Comparison of two values that were read for the same field; one may be more precise than the other."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from pipeline.transform.source_text import comparison_key, fold
from pipeline.transform.vocabulary.names import core_of_name
from warehouse.records.models import Activity, AddressParts, Cuatm, Party, Statement

_WORD = re.compile(r"\w+")


def is_empty(value: Any) -> bool:
    """Tell whether a field has no value."""
    return value is None or value == ()


def agree(field: str, one: Any, other: Any) -> bool:
    """Tell whether two values of a field mean the same.

    The values may differ in precision, but must not contradict each other. An empty value agrees with any value.
    """
    if is_empty(one) or is_empty(other):
        return True
    return _AGREEMENTS.get(field, _same_text)(one, other)


def is_part(part: Sequence[Party | Activity], whole: Sequence[Party | Activity]) -> bool:
    """Tell whether each entry of a truncated list is in the whole list. A share may be missing in `part`."""
    entries = {key for entry in whole for key in (_entry_key(entry), (_entry_key(entry)[0], ""))}
    return all(_entry_key(entry) in entries for entry in part)


def _entry_key(entry: Party | Activity) -> tuple[str, str]:
    return _party_key(entry) if isinstance(entry, Party) else (comparison_key(entry.name), "")


def same_name(html: str, json: str | None) -> bool:
    """Tell whether the heading `html` and the name `json` are the same name; either may omit legal form or quotes."""
    if json and core_of_name(html) == core_of_name(json) != "":
        return True
    one, other = (f" {' '.join(_WORD.findall(fold(text)))} " for text in (html, json or ""))
    return not one.isspace() and not other.isspace() and (one in other or other in one)


def as_json(value: Any) -> Any:
    """Convert a value to JSON types, so that a disagreement can be stored."""
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, Statement):
        return {"year": value.year, **{name: str(amount) for name, amount in value.figures().items()}}
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else str(value)


def _same_text(one: Any, other: Any) -> bool:
    return comparison_key(str(one)) == comparison_key(str(other))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other)


def _same_parties(one: Sequence[Party], other: Sequence[Party]) -> bool:
    return sorted(map(_party_key, one)) == sorted(map(_party_key, other))


def _party_key(party: Party) -> tuple[str, str]:
    share = "" if party.share is None else f"{party.share:.1f}"
    return comparison_key(party.name), share


def _same_activities(one: Sequence[Activity], other: Sequence[Activity]) -> bool:
    return {comparison_key(activity.name) for activity in one} == {
        comparison_key(activity.name) for activity in other
    }


def _same_place(one: Cuatm, other: Cuatm) -> bool:
    """Tell whether two units have the same code; if a code is missing, whether they have the same name."""
    if one.code and other.code:
        return one.code == other.code
    return bool(one.name and other.name) and _same_text(one.name, other.name)


def _same_parts(one: AddressParts, other: AddressParts) -> bool:
    pairs = ((getattr(one, part), getattr(other, part)) for part in AddressParts.model_fields)
    return all(_same_text(value, other_value) for value, other_value in pairs if value and other_value)


def _same_statements(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """Tell whether two sides agree on the statements.

    The key figures that both have for the same year must be equal. At most one side may have additional years.
    """
    of_one, of_other = (
        {statement.year: statement.figures() for statement in statements} for statements in (one, other)
    )
    if not (of_one.keys() <= of_other.keys() or of_other.keys() <= of_one.keys()):
        return False
    return all(_same_figures(of_one[year], of_other[year]) for year in of_one.keys() & of_other.keys())


def _same_figures(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())


_AGREEMENTS: dict[str, Callable[[Any, Any], bool]] = {
    "status": _same,
    "registered_on": _same,
    "founders": _same_parties,
    "administrators": _same_parties,
    "licensed_activities": _same_activities,
    "unlicensed_activities": _same_activities,
    "cuatm": _same_place,
    "address_parts": _same_parts,
    "statements": _same_statements,
}
