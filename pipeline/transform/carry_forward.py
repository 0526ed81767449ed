"""What a capture leaves open, filled from earlier captures of the same company: a missing part is no news.

The rule: what the data that the page got (JSON) states of a field, absence too, is final. A field that only the HTML
shows is taken as an earlier capture's data had it, where both mean the same (that one is more precise: whole shares,
codes, ids), else as the HTML shows it now. A field that this capture does not speak of (its data did not come, the
page did not show it) stays as the newest earlier capture that speaks of it has it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.transform.agreement import agree, is_silent, same_name
from pipeline.transform.merge import FOLLOWS, ReadingSource, Transformed
from warehouse.records.models import CompanyFacts, FieldProvenance, Statement
from warehouse.records.record_diff import FIELDS

_LEADS = tuple(field for field in FIELDS if field not in FOLLOWS)
"""Fields that are decided on; what follows one is taken from the same capture."""
_STATEMENTS = "statements"


@dataclass(frozen=True)
class CaptureReading:
    """What one capture says."""

    source_data_id: int
    transformed: Transformed


@dataclass(frozen=True)
class Settled:
    """A company's facts as of a capture. `sources`: by field; statements by `statements/{year}`."""

    facts: CompanyFacts
    sources: dict[str, FieldProvenance]
    disagreements: dict[str, Any]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def is_settled(transformed: Transformed) -> bool:
    """Tell whether a capture leaves nothing open, so that no earlier one is needed."""
    return {_STATEMENTS, *_LEADS} <= transformed.stated


def settle(newest: CaptureReading, earlier: Sequence[CaptureReading] = ()) -> Settled:
    """Return a company's facts as of its newest capture; `earlier` are others of it, the newest first."""
    values: dict[str, Any] = {}
    sources: dict[str, FieldProvenance] = {}
    for lead in _LEADS:
        chosen = _chosen(newest, earlier, lead)
        for field in (lead, *(follower for follower, led_by in FOLLOWS.items() if led_by == lead)):
            values[field] = getattr(chosen.transformed.facts, field)
            if source := chosen.transformed.sources.get(field):
                sources[field] = _sourced(chosen, source)
    statements = _statements(newest, earlier)
    for year, (reading, _) in statements.items():
        if source := reading.transformed.sources.get(_STATEMENTS):
            sources[f"{_STATEMENTS}/{year}"] = _sourced(reading, source)
    transformed = newest.transformed
    facts = transformed.facts.model_copy(
        update={
            **values,
            "statements": tuple(statements[year][1] for year in sorted(statements, reverse=True)),
        }
    )
    return Settled(facts, sources, transformed.disagreements, transformed.unknown, transformed.notes)


def _sourced(reading: CaptureReading, source: ReadingSource) -> FieldProvenance:
    return FieldProvenance(source_data_id=reading.source_data_id, reading=str(source.reading), raw=source.raw)


def _chosen(newest: CaptureReading, earlier: Iterable[CaptureReading], field: str) -> CaptureReading:
    """The capture whose word on a field counts."""
    if field in newest.transformed.stated:
        return newest
    shown = getattr(newest.transformed.facts, field)
    for reading in earlier:
        held = getattr(reading.transformed.facts, field)
        is_stated = field in reading.transformed.stated
        if is_silent(shown):
            if is_stated or not is_silent(held):
                return reading
        elif is_stated:
            return reading if not is_silent(held) and _is_no_news(field, shown, held) else newest
    return newest


def _is_no_news(field: str, shown: Any, held: Any) -> bool:
    # A heading may add the legal form to the name, or leave it out: the company was not renamed.
    return same_name(shown, held) if field == "name" else agree(field, shown, held)


def _statements(
    newest: CaptureReading, earlier: Iterable[CaptureReading]
) -> dict[int, tuple[CaptureReading, Statement]]:
    """The statements by year, each with the capture that it is taken from."""
    chosen = {statement.year: (newest, statement) for statement in newest.transformed.facts.statements}
    if _STATEMENTS in newest.transformed.stated:
        return chosen
    for reading in earlier:
        for statement in reading.transformed.facts.statements:
            shown = chosen.get(statement.year)
            if shown is None or _is_part(shown[1], statement):
                chosen[statement.year] = (reading, statement)
        if _STATEMENTS in reading.transformed.stated:
            break
    return chosen


def _is_part(part: Statement, whole: Statement) -> bool:
    """Tell whether a statement says nothing that another, with more lines, does not say as well."""
    held = {(line.form, line.row): line.value for line in whole.lines}
    return len(part.lines) <= len(whole.lines) and all(
        held.get((line.form, line.row)) == line.value for line in part.lines
    )
