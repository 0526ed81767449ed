"""Suppression: a company's facts without the persons whose names were erased on request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.transform.carry_forward import ResolvedFacts
from warehouse.records.models import FieldProvenance
from warehouse.records.redaction import FIELDS, Suppression, redact_parties


def without_suppressed(resolved: ResolvedFacts, suppressed: Sequence[Suppression]) -> ResolvedFacts:
    """Return facts that do not name these persons, with a note that says so."""
    facts = resolved.facts
    parties = {field: redact_parties(getattr(facts, field), facts.idno, suppressed) for field in FIELDS}
    changed = {field: value for field, value in parties.items() if value != getattr(facts, field)}
    if not changed:
        return resolved
    return replace(
        resolved,
        facts=facts.model_copy(update=changed),
        sources=_without_quotes(resolved.sources, changed),
        # A disagreement quotes what each reading says, names included.
        disagreements={
            field: readings for field, readings in resolved.disagreements.items() if field not in changed
        },
        notes=(*resolved.notes, *(f"{field}: a person's name was erased on request" for field in changed)),
    )


def _without_quotes(
    sources: Mapping[str, FieldProvenance], fields: Mapping[str, object]
) -> dict[str, FieldProvenance]:
    """Return the provenance of all fields; that of these fields without the text in the capture."""
    return {
        field: source.model_copy(update={"raw": None}) if field in fields else source
        for field, source in sources.items()
    }
