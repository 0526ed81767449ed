"""Carrying facts forward: fields that a capture does not cover are filled from earlier captures of the company.

If the newest capture does not contain a field, this does not mean that the company lost the fact: the payload may not
have arrived. The rule for each field:

- The newest capture's JSON states the field, even as absent: that value is used.
- Only the newest capture's HTML shows the field: if an earlier capture's JSON has a value that means the same, that
  value is used, because it is more precise (exact shares, codes, ids). Otherwise the value in the HTML is used.
- The newest capture does not contain the field (the payload did not arrive and the page did not show it): the value is
  taken from an earlier capture, the newest that contains the field.

The remarks of a field are those of the newest capture that contains the field. A truncated list that is a part of an
earlier complete one counts as the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.transform.agreement import agree, is_empty, is_part, same_name
from pipeline.transform.merge import ReadingSource, Transformed
from pipeline.transform.reading import DERIVED_FROM, STATEMENTS, Unread
from pipeline.transform.vocabulary.terms import legal_form_of
from warehouse.records.models import CompanyFacts, FieldProvenance, Statement
from warehouse.records.record_diff import FIELDS

_SOURCE_FIELDS = tuple(field for field in FIELDS if field not in DERIVED_FROM)
"""The fields for which a capture is chosen; a derived field is taken from the same capture as its source field."""
_JOINT_STOCK = "SA"
"""The code of the legal form of joint-stock companies."""


@dataclass(frozen=True)
class CaptureReading:
    """The transformed content of one stored capture."""

    source_data_id: int
    transformed: Transformed


@dataclass(frozen=True)
class ResolvedFacts:
    """A company's facts as of its newest capture.

    The keys of `sources` are field names; a statement has the key `statements/{year}`. `unread` holds the texts of the
    newest capture.
    """

    facts: CompanyFacts
    sources: dict[str, FieldProvenance]
    disagreements: dict[str, Any]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
    unread: tuple[Unread, ...] = ()


def states_all_fields(transformed: Transformed) -> bool:
    """Tell whether a capture's JSON states all fields; if so, earlier captures need not be read."""
    return {STATEMENTS, *_SOURCE_FIELDS} <= transformed.stated


def resolve_facts(newest: CaptureReading, earlier: Sequence[CaptureReading] = ()) -> ResolvedFacts:
    """Return a company's facts as of its newest capture, completed from its earlier captures.

    `earlier` holds the earlier captures, the newest of them first.
    """
    values: dict[str, Any] = {}
    sources: dict[str, FieldProvenance] = {}
    remarks: dict[str, tuple[str, ...]] = {}
    incomplete: list[str] = []
    for source_field in _SOURCE_FIELDS:
        chosen = _chosen_capture(newest, earlier, source_field)
        derived = (name for name, derived_from in DERIVED_FROM.items() if derived_from == source_field)
        for name in (source_field, *derived):
            values[name] = getattr(chosen.transformed.facts, name)
            if source := chosen.transformed.sources.get(name):
                sources[name] = _provenance(chosen, source)
        if texts := _remarks(newest, chosen, source_field):
            remarks[source_field] = texts
        if source_field in chosen.transformed.incomplete:
            incomplete.append(source_field)
    statements = _statements(newest, earlier)
    for year, (reading, _) in statements.items():
        if source := reading.transformed.sources.get(STATEMENTS):
            sources[f"{STATEMENTS}/{year}"] = _provenance(reading, source)
    transformed = newest.transformed
    facts = transformed.facts.model_copy(
        update={
            **values,
            "statements": tuple(statements[year][1] for year in sorted(statements, reverse=True)),
            "remarks": dict(sorted(remarks.items())),
            "incomplete_lists": tuple(incomplete),
        }
    )
    return ResolvedFacts(
        _with_unpublished(facts),
        sources,
        transformed.disagreements,
        transformed.unknown,
        transformed.notes,
        transformed.unread,
    )


def _with_unpublished(facts: CompanyFacts) -> CompanyFacts:
    """Mark an empty list of founders of a joint-stock company as incomplete: the register does not publish it."""
    is_unpublished = not facts.founders and legal_form_of(facts.legal_form or "") == _JOINT_STOCK
    if not is_unpublished or "founders" in facts.incomplete_lists:
        return facts
    return facts.model_copy(update={"incomplete_lists": ("founders", *facts.incomplete_lists)})


def _provenance(reading: CaptureReading, source: ReadingSource) -> FieldProvenance:
    return FieldProvenance(
        source_data_id=reading.source_data_id, reading=str(source.reading), raw=source.raw, rule=source.rule
    )


def _remarks(newest: CaptureReading, chosen: CaptureReading, field: str) -> tuple[str, ...]:
    """Return the remarks of a field whose value is that of the capture `chosen`."""
    transformed = newest.transformed
    is_in_newest = (
        field in transformed.stated
        or field in transformed.remarks
        or not is_empty(getattr(transformed.facts, field))
    )
    return (transformed if is_in_newest else chosen.transformed).remarks.get(field, ())


def _chosen_capture(newest: CaptureReading, earlier: Iterable[CaptureReading], field: str) -> CaptureReading:
    """Return the capture that a field is taken from."""
    if field in newest.transformed.stated:
        return newest
    newest_value = getattr(newest.transformed.facts, field)
    for reading in earlier:
        earlier_value = getattr(reading.transformed.facts, field)
        is_stated = field in reading.transformed.stated
        if is_empty(newest_value):
            if is_stated or not is_empty(earlier_value):
                return reading
        elif is_stated:
            is_same = not is_empty(earlier_value) and (
                _is_unchanged(field, newest_value, earlier_value)
                or (field in newest.transformed.incomplete and is_part(newest_value, earlier_value))
            )
            return reading if is_same else newest
    return newest


def _is_unchanged(field: str, newest_value: Any, earlier_value: Any) -> bool:
    # A heading may add or omit the legal form; that does not mean that the company was renamed.
    return (
        same_name(newest_value, earlier_value)
        if field == "name"
        else agree(field, newest_value, earlier_value)
    )


def _statements(
    newest: CaptureReading, earlier: Iterable[CaptureReading]
) -> dict[int, tuple[CaptureReading, Statement]]:
    """Return the statements by year, each with the capture that it is taken from."""
    chosen = {statement.year: (newest, statement) for statement in newest.transformed.facts.statements}
    if STATEMENTS in newest.transformed.stated:
        return chosen
    for reading in earlier:
        for statement in reading.transformed.facts.statements:
            known = chosen.get(statement.year)
            if known is None or _is_contained(known[1], statement):
                chosen[statement.year] = (reading, statement)
        if STATEMENTS in reading.transformed.stated:
            break
    return chosen


def _is_contained(part: Statement, whole: Statement) -> bool:
    """Tell whether each line of the statement `part` is also in `whole`, with the same amount."""
    values = {(line.form, line.row): line.value for line in whole.lines}
    return len(part.lines) <= len(whole.lines) and all(
        values.get((line.form, line.row)) == line.value for line in part.lines
    )
