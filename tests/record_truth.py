"""Comparison of records with the data that the stand-in site publishes."""

from collections.abc import Mapping, Sequence
from typing import Any

FACTS = ("idno", "name", "legal_form", "status", "registered_on", "address")


def assert_record_is_true(record: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
    """Fail unless the facts, founders and administrators of a record equal the published ones."""
    assert {fact: record[fact] for fact in FACTS} == {fact: truth[fact] for fact in FACTS}
    assert _founders(record["founders"]) == _founders(truth["founders"])
    assert _names(record["administrators"]) == _names(truth["administrators"])


def _founders(parties: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((p["name"], p["kind"], p["share"], p["idno"] or "") for p in parties)


def _names(parties: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return sorted((party["name"], party["kind"]) for party in parties)
