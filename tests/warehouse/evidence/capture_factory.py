"""Factories of captures, and a function that stores them."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from warehouse.contract import Outcome
from warehouse.evidence import CaptureEvidence, PayloadEvidence, evidence_sha256
from warehouse.schema.tables import raw_documents, source_data, source_payloads

URL = "https://example.md/companies/1020999000019"
FETCHED_AT = datetime(2026, 11, 24, 22, 54, 36, 123456, tzinfo=UTC)
DOCUMENT = b"<!doctype html><app-root></app-root>"
HTML = "<!doctype html><h1>RĂZĂNICA LUX</h1>".encode()
LOOK = b'{"version":1,"elements":4,"marks":[]}'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
COMPANY, FIGURES = '{"fullName":"RĂZĂNICA LUX"}'.encode(), b"[]"
BODIES = (DOCUMENT, HTML, LOOK, PNG, COMPANY, FIGURES)


def sha256(content: bytes) -> str:
    """Return the hash of a body."""
    return hashlib.sha256(content).hexdigest()


def payload(position: int, body: bytes | None, **fields: Any) -> PayloadEvidence:
    """Return a payload."""
    values: dict[str, Any] = {
        "position": position,
        "url": f"https://api.example.md/api/{position}?a=1",
        "status_code": 200,
        "response_headers": {"content-type": "application/json"},
        "sha256": sha256(body) if body is not None else None,
    }
    return PayloadEvidence(**{**values, **fields})


def capture(idno: str, **fields: Any) -> CaptureEvidence:
    """Return a capture of a redirected page with two payloads, all bodies and unusual headers."""
    values: dict[str, Any] = {
        "capture_id": uuid4(),
        "idno": idno,
        "url": URL,
        "final_url": f"{URL}/ro",
        "status_code": 200,
        "outcome": Outcome.OK,
        "error": None,
        "fetched_at": FETCHED_AT,
        "duration_ms": 812,
        "attempt": 1,
        "browser": "chrome 150.0",
        "response_headers": {
            "content-type": "text/html; charset=utf-8",
            "content-encoding": "gzip",
            "content-length": "17",
            "set-cookie": "a=1; Path=/\nb=2",
            "x-name": "Chișinău",
        },
        "redirects": [{"url": URL, "status_code": 302, "response_headers": {"location": f"{URL}/ro"}}],
        "timings": {"document": 120.0, "rendered": 640.25},
        "raw_html_sha256": sha256(HTML),
        "look_sha256": sha256(LOOK),
        "document_sha256": sha256(DOCUMENT),
        "screenshot_sha256": sha256(PNG),
        "run_id": "run",
        "requested_by": "Ștefan",
        "payloads": (payload(0, COMPANY), payload(1, FIGURES)),
    }
    return CaptureEvidence(**{**values, **fields})


def unanswered(idno: str, **fields: Any) -> CaptureEvidence:
    """Return a capture of a site that did not answer."""
    nothing: dict[str, Any] = {
        "final_url": None,
        "status_code": None,
        "outcome": Outcome.NETWORK_ERROR,
        "error": "net::ERR_CONNECTION_REFUSED",
        "response_headers": None,
        "redirects": [],
        "timings": None,
        "raw_html_sha256": None,
        "look_sha256": None,
        "document_sha256": None,
        "screenshot_sha256": None,
        "payloads": (),
    }
    return capture(idno, **{**nothing, **fields})


def store(
    connection: Connection,
    evidence: CaptureEvidence,
    *,
    bodies: Iterable[bytes] = BODIES,
    is_hashed: bool = True,
) -> int:
    """Store a capture as the loader does and return its id."""
    for body in bodies:
        row = {
            "sha256": sha256(body),
            "content": body,
            "content_type": "application/octet-stream",
            "size": len(body),
        }
        connection.execute(upsert(raw_documents).values(row).on_conflict_do_nothing())
    stored_hash = evidence_sha256(evidence) if is_hashed else None
    statement = insert(source_data).values(**evidence.row(), evidence_sha256=stored_hash)
    source_data_id: int = connection.execute(statement.returning(source_data.c.id)).scalar_one()
    for item in evidence.payloads:
        row = {"source_data_id": source_data_id, **item.model_dump()}
        connection.execute(insert(source_payloads).values(row))
    return source_data_id
