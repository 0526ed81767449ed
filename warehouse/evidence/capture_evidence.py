"""A capture as evidence: everything stored about one visit, and the hash of all of it."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from warehouse.contract import Outcome
from warehouse.evidence.stored_json import Json, StoredText, canonical_json

Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]


class PayloadEvidence(BaseModel):
    """A payload of a capture. `position` is its number in the capture. `sha256` is None if no body was provided."""

    model_config = ConfigDict(frozen=True)

    position: int
    url: StoredText
    status_code: int | None
    response_headers: Json
    sha256: str | None


class CaptureEvidence(BaseModel):
    """Everything that is stored about a visit, with bodies by their hashes.

    The values are normalized: they are equal to what the database returns after they are stored. Build the database row
    from these values (`row`), not from the original ones. Otherwise, the stored row has another hash. If you add a
    field, leave it out of the hash when its value is None, so that existing hashes stay valid.
    """

    model_config = ConfigDict(frozen=True)

    capture_id: UUID | None
    idno: str
    url: StoredText
    final_url: StoredText | None
    status_code: int | None
    outcome: Outcome
    error: StoredText | None
    fetched_at: Instant
    duration_ms: int
    attempt: int
    browser: StoredText | None
    response_headers: Json
    redirects: Json
    timings: Json
    raw_html_sha256: str | None
    document_sha256: str | None
    screenshot_sha256: str | None
    run_id: StoredText
    requested_by: StoredText | None
    look_sha256: str | None = None
    """The look of the rendered page. Earlier captures have none, and their hashes do not contain the field."""
    payloads: tuple[PayloadEvidence, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return the values for a row of `source_data`, except the row's id and the hash of the evidence."""
        return self.model_dump(exclude={"payloads"})


def evidence_document(evidence: CaptureEvidence) -> dict[str, Any]:
    """Return the JSON document that is hashed: the time in UTC with microseconds, payloads ordered by position."""
    no_look = {"look_sha256"} if evidence.look_sha256 is None else set()
    return {
        **evidence.model_dump(mode="json", exclude=no_look),
        "fetched_at": iso(evidence.fetched_at),
        "payloads": [
            payload.model_dump(mode="json")
            for payload in sorted(evidence.payloads, key=lambda payload: payload.position)
        ],
    }


def evidence_sha256(evidence: CaptureEvidence) -> str:
    """Return the hash of a capture: the SHA-256, in hexadecimal, of its canonical JSON document."""
    return hashlib.sha256(canonical_json(evidence_document(evidence))).hexdigest()


def iso(moment: datetime) -> str:
    """Return a time in UTC, like 2026-11-24T22:54:36.000000+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
