"""Whether two statements of one fact mean the same, whichever of them is the more precise."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from pipeline.transform.source_text import bare, fold
from warehouse.records.models import Activity, AddressParts, Cuatm, Party, Statement

_WORD = re.compile(r"\w+")


def is_silent(value: Any) -> bool:
    """Tell whether a field says nothing."""
    return value is None or value == ()


def agree(field: str, one: Any, other: Any) -> bool:
    """Tell whether two values of a field mean the same: the less precise one says nothing else than the other.

    One that says nothing agrees with all.
    """
    if is_silent(one) or is_silent(other):
        return True
    return _AGREEMENTS.get(field, _same_text)(one, other)


def same_name(html: str, json: str | None) -> bool:
    """Tell whether a page's heading is a company's name: it may add the legal form or quotes, or leave them out."""
    one, other = (f" {' '.join(_WORD.findall(fold(text)))} " for text in (html, json or ""))
    return not one.isspace() and not other.isspace() and (one in other or other in one)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, for the record of a disagreement."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Statement):
        return {"year": value.year, **{name: str(amount) for name, amount in value.figures().items()}}
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else str(value)


def _same_text(one: Any, other: Any) -> bool:
    return bare(str(one)) == bare(str(other))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other)


def _same_parties(one: Sequence[Party], other: Sequence[Party]) -> bool:
    return sorted(map(_party_key, one)) == sorted(map(_party_key, other))


def _party_key(party: Party) -> tuple[str, str]:
    share = "" if party.share is None else f"{party.share:.1f}"
    return bare(party.name), share


def _same_activities(one: Sequence[Activity], other: Sequence[Activity]) -> bool:
    return {bare(activity.name) for activity in one} == {bare(activity.name) for activity in other}


def _same_place(one: Cuatm, other: Cuatm) -> bool:
    """The code says it; where one has none, the name."""
    if one.code and other.code:
        return one.code == other.code
    return bool(one.name and other.name) and _same_text(one.name, other.name)


def _same_parts(one: AddressParts, other: AddressParts) -> bool:
    pairs = ((getattr(one, part), getattr(other, part)) for part in AddressParts.model_fields)
    return all(_same_text(value, held) for value, held in pairs if value and held)


def _same_statements(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """The key figures that both have of a year are equal, and only one of them has years of its own."""
    figures, held = ({each.year: each.figures() for each in some} for some in (one, other))
    if not (figures.keys() <= held.keys() or held.keys() <= figures.keys()):
        return False
    return all(_same_figures(figures[year], held[year]) for year in figures.keys() & held.keys())


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
