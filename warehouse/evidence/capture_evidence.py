"""A capture as evidence: everything that is known of one visit, and the hash of it all."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from warehouse.contract import Outcome
from warehouse.evidence.stored_json import Json, StoredText, canonical_json

Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]


class PayloadEvidence(BaseModel):
    """A JSON body that the page fetched, by its hash (None where the browser did not hand it out)."""

    model_config = ConfigDict(frozen=True)

    position: int
    url: StoredText
    status_code: int | None
    response_headers: Json
    sha256: str | None


class CaptureEvidence(BaseModel):
    """All that is kept of a visit, bodies by their hashes.

    It holds values as the database gives them back, so the row has to be made of it (`row`), not of what it was
    made of. A field that is ever added must be left out of the hash where it is None: hashes of before stay good.
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
    payloads: tuple[PayloadEvidence, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return the values of `source_data`, but for its id and the hash."""
        return self.model_dump(exclude={"payloads"})


def evidence_document(evidence: CaptureEvidence) -> dict[str, Any]:
    """Return what is hashed, as JSON: the time with microseconds, in UTC; payloads in their order."""
    return {
        **evidence.model_dump(mode="json"),
        "fetched_at": iso(evidence.fetched_at),
        "payloads": [
            payload.model_dump(mode="json")
            for payload in sorted(evidence.payloads, key=lambda payload: payload.position)
        ],
    }


def evidence_sha256(evidence: CaptureEvidence) -> str:
    """Return the hash of everything: SHA-256, in hexadecimal, of the canonical JSON of a capture."""
    return hashlib.sha256(canonical_json(evidence_document(evidence))).hexdigest()


def iso(moment: datetime) -> str:
    """Return a time as 2026-11-24T22:54:36.000000+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
