"""Captures into the audit trail, untouched: `source_data`, `raw_documents`, `source_payloads`."""

import hashlib

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.extract.capture import Capture
from warehouse.tables import raw_documents, source_data, source_payloads

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json"


def store_capture(connection: Connection, capture: Capture, *, run_id: str, requested_by: str | None) -> int:
    """Store a capture with all its bodies and return its `source_data.id`."""
    html_sha256 = _store_body(connection, _bytes(capture.html), HTML_TYPE) if capture.html else None
    source_data_id = connection.execute(
        insert(source_data)
        .values(
            idno=capture.idno,
            url=capture.url,
            final_url=capture.final_url,
            status_code=capture.status_code,
            outcome=capture.outcome,
            raw_html_sha256=html_sha256,
            fetched_at=capture.fetched_at,
            duration_ms=capture.duration_ms,
            run_id=run_id,
            requested_by=requested_by,
            error=capture.error,
            browser=capture.browser,
        )
        .returning(source_data.c.id)
    ).scalar_one()
    for position, payload in enumerate(capture.payloads):
        connection.execute(
            insert(source_payloads).values(
                source_data_id=source_data_id,
                position=position,
                url=payload.url,
                status_code=payload.status_code,
                sha256=_store_body(connection, payload.body, JSON_TYPE) if payload.body is not None else None,
            )
        )
    return int(source_data_id)


def _bytes(html: str) -> bytes:
    # A page can hold half of a surrogate pair, which UTF-8 cannot.
    return html.encode("utf-8", errors="replace")


def _store_body(connection: Connection, content: bytes, content_type: str) -> str:
    """Store a body once, by its content, and return its hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    connection.execute(
        upsert(raw_documents)
        .values(sha256=sha256, content=content, content_type=content_type, size=len(content))
        .on_conflict_do_nothing()
    )
    return sha256
