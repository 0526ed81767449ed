"""Suppression: removes, from a company's facts, persons whose names were erased on request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.transform.carry_forward import ResolvedFacts
from warehouse.records.models import FieldProvenance
from warehouse.records.redaction import FIELDS, Suppression, redact_parties


def without_suppressed(resolved: ResolvedFacts, suppressed: Sequence[Suppression]) -> ResolvedFacts:
    """Return facts that do not name the `suppressed` persons, with a note on each field that changed."""
    facts = resolved.facts
    parties = {field: redact_parties(getattr(facts, field), facts.idno, suppressed) for field in FIELDS}
    changed = {field: value for field, value in parties.items() if value != getattr(facts, field)}
    if not changed:
        return resolved
    return replace(
        resolved,
        facts=facts.model_copy(update=changed),
        sources=_without_quotes(resolved.sources, changed),
        # A disagreement on a field quotes both readings, so it contains the names.
        disagreements={
            field: readings for field, readings in resolved.disagreements.items() if field not in changed
        },
        notes=(*resolved.notes, *(f"{field}: a person's name was erased on request" for field in changed)),
    )


def _without_quotes(
    sources: Mapping[str, FieldProvenance], fields: Mapping[str, object]
) -> dict[str, FieldProvenance]:
    """Return the provenance of all fields, without the quoted text (`raw`) in the provenance of `fields`."""
    return {
        field: source.model_copy(update={"raw": None}) if field in fields else source
        for field, source in sources.items()
    }
