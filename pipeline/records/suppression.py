"""Suppression: removes, from a company's facts, persons whose names were erased on request."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from pipeline.transform.carry_forward import ResolvedFacts
from warehouse.records.models import FieldProvenance
from warehouse.records.redaction import ERASURE_NOTE, FIELDS, Suppression, TextRedaction, redact_parties


def without_suppressed(resolved: ResolvedFacts, suppressed: Sequence[Suppression]) -> ResolvedFacts:
    """Return facts that do not name the `suppressed` persons, with a note on each field that changed.

    All texts that the record quotes from its captures are redacted too: raw texts, remarks, unread texts, notes and
    disagreements.
    """
    facts = resolved.facts
    parties = {field: redact_parties(getattr(facts, field), facts.idno, suppressed) for field in FIELDS}
    changed = {field: value for field, value in parties.items() if value != getattr(facts, field)}
    redaction = TextRedaction(facts.idno, suppressed, frozenset(changed))
    remarks = redaction.redact_remarks(facts.remarks)
    removed = [text for text in resolved.unread if redaction.removes(text.field, text.text)]
    quoting = {field for field in FIELDS if _is_named(resolved.sources.get(field), redaction)}
    notes = tuple(note for note in resolved.notes if not redaction.removes_note(note))
    fields = {
        *changed,
        *quoting,
        *(field for field, texts in facts.remarks.items() if remarks.get(field) != texts),
        *(text.field for text in removed),
    }
    disagreements = {
        # A disagreement quotes both readings.
        field: readings
        for field, readings in resolved.disagreements.items()
        if not (field in changed or (field in FIELDS and _names_any(readings, redaction)))
    }
    if not fields and (notes, disagreements) == (resolved.notes, resolved.disagreements):
        return resolved
    return replace(
        resolved,
        facts=facts.model_copy(update={**changed, "remarks": remarks}),
        sources=_without_quotes(resolved.sources, changed.keys() | quoting),
        disagreements=disagreements,
        unread=tuple(text for text in resolved.unread if text not in removed),
        notes=(*notes, *(f"{field}: {ERASURE_NOTE}" for field in sorted(fields))),
    )


def _is_named(source: FieldProvenance | None, redaction: TextRedaction) -> bool:
    return source is not None and source.raw is not None and redaction.names(source.raw)


def _names_any(readings: Mapping[str, Any], redaction: TextRedaction) -> bool:
    """Tell whether either reading of a list of parties names a suppressed person."""
    parties = [party for reading in readings.values() if isinstance(reading, list) for party in reading]
    return any(redaction.names(str(value)) for party in parties for value in party.values())


def _without_quotes(
    sources: Mapping[str, FieldProvenance], fields: AbstractSet[str]
) -> dict[str, FieldProvenance]:
    """Return the provenance of all fields, without the quoted text (`raw`) in the provenance of `fields`."""
    return {
        field: source.model_copy(update={"raw": None}) if field in fields else source
        for field, source in sources.items()
    }
