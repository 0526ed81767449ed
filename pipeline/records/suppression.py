"""What was read of a company, without the names of persons who asked to be forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.transform.carry_forward import ResolvedFacts
from warehouse.records.models import FieldProvenance
from warehouse.records.redaction import FIELDS, Suppression, redacted


def without_suppressed(settled: ResolvedFacts, suppressed: Sequence[Suppression]) -> ResolvedFacts:
    """Return a reading in which these persons are not named, with a note that says so."""
    facts = settled.facts
    parties = {field: redacted(getattr(facts, field), facts.idno, suppressed) for field in FIELDS}
    changed = {field: value for field, value in parties.items() if value != getattr(facts, field)}
    if not changed:
        return settled
    return replace(
        settled,
        facts=facts.model_copy(update=changed),
        sources=_unquoted(settled.sources, changed),
        # What each reading says of these lists names the persons too.
        disagreements={field: told for field, told in settled.disagreements.items() if field not in changed},
        notes=(*settled.notes, *(f"{field}: a person's name was erased on request" for field in changed)),
    )


def _unquoted(
    sources: Mapping[str, FieldProvenance], fields: Mapping[str, object]
) -> dict[str, FieldProvenance]:
    return {
        field: source.model_copy(update={"raw": None}) if field in fields else source
        for field, source in sources.items()
    }
