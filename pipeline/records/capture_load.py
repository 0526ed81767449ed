"""Captures into the audit trail, untouched: `source_data`, `raw_documents`, `source_payloads`."""

import hashlib

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.extract.page_capture import Capture
from pipeline.records.capture_dedup import unchanged
from pipeline.records.record_store import await_transformation
from warehouse.contract import Outcome
from warehouse.evidence import CaptureEvidence, PayloadEvidence, evidence_sha256
from warehouse.schema.tables import raw_documents, source_data, source_payloads

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json"
PNG_TYPE = "image/png"
_IS_PRUNED = text("SELECT removed_because = 'retention' FROM raw_documents WHERE sha256 = :sha256")
_REFILL = text("SELECT refill_body(:sha256, :content)")
_RECEIVED_TYPE = "application/octet-stream"
"""A document as it was received, whatever it says that it is."""


def store_capture(connection: Connection, capture: Capture, *, run_id: str, requested_by: str | None) -> int:
    """Store a capture with all its bodies and return its `source_data.id`; one that is stored stays as it is."""
    stored = connection.scalar(select(source_data.c.id).where(source_data.c.capture_id == capture.capture_id))
    if stored is not None:
        return int(stored)
    evidence = _store_bodies(connection, capture, run_id=run_id, requested_by=requested_by)
    row = {**evidence.row(), "evidence_sha256": evidence_sha256(evidence)}
    same = unchanged(connection, evidence)
    if same is not None:
        # The document's headers are the first of those.
        row |= {"same_as": same.same_as, "changed_headers": same.changed_headers, "response_headers": None}
    source_data_id = connection.execute(
        insert(source_data).values(row).returning(source_data.c.id)
    ).scalar_one()
    if evidence.payloads and same is None:
        connection.execute(
            insert(source_payloads),
            [{"source_data_id": source_data_id, **payload.model_dump()} for payload in evidence.payloads],
        )
    if capture.outcome is Outcome.OK:
        await_transformation(connection, idno=capture.idno, source_data_id=source_data_id)
    return int(source_data_id)


def store_body(connection: Connection, content: bytes, content_type: str) -> str:
    """Store a body once, by its content, and return its hash (SHA-256); one that retention removed comes back."""
    sha256 = hashlib.sha256(content).hexdigest()
    added = connection.execute(
        upsert(raw_documents)
        .values(sha256=sha256, content=content, content_type=content_type, size=len(content))
        .on_conflict_do_nothing()
    )
    if not added.rowcount and connection.scalar(_IS_PRUNED, {"sha256": sha256}):
        connection.execute(_REFILL, {"sha256": sha256, "content": content})
    return sha256


def _store_bodies(
    connection: Connection, capture: Capture, *, run_id: str, requested_by: str | None
) -> CaptureEvidence:
    """Store what a capture holds, and return it with hashes in the place of bodies."""

    def body(content: bytes | None, content_type: str) -> str | None:
        return store_body(connection, content, content_type) if content is not None else None

    payloads = tuple(
        PayloadEvidence(
            position=position,
            url=payload.url,
            status_code=payload.status_code,
            response_headers=payload.response_headers,
            sha256=body(payload.body, JSON_TYPE),
        )
        for position, payload in enumerate(capture.payloads)
    )
    return CaptureEvidence(
        capture_id=capture.capture_id,
        idno=capture.idno,
        url=capture.url,
        final_url=capture.final_url,
        status_code=capture.status_code,
        outcome=capture.outcome,
        error=capture.error,
        fetched_at=capture.fetched_at,
        duration_ms=capture.duration_ms,
        attempt=capture.attempt,
        browser=capture.browser,
        response_headers=capture.response_headers,
        redirects=[hop.model_dump() for hop in capture.redirects],
        timings=capture.timings or None,
        raw_html_sha256=body(_bytes(capture.html), HTML_TYPE),
        document_sha256=body(capture.document, _RECEIVED_TYPE),
        screenshot_sha256=body(capture.screenshot, PNG_TYPE),
        run_id=run_id,
        requested_by=requested_by,
        payloads=payloads,
    )


def _bytes(html: str | None) -> bytes | None:
    # A page can hold half of a surrogate pair, which UTF-8 cannot.
    return html.encode("utf-8", errors="replace") if html else None
