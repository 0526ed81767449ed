"""Captures in the audit trail (`source_data`, `raw_documents`, `source_payloads`), and which of them are pending.

A capture is stored unchanged. Only good captures (outcome `ok`) are transformed. A pending capture is a good one that
no transformation has processed yet.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, exists, insert, select, text, union
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.extract.page_capture import Capture
from pipeline.records.capture_dedup import find_same_answers
from pipeline.records.cohort_names import COHORTS
from pipeline.records.cohorts import in_cohort
from pipeline.transform import version
from warehouse.contract import Outcome
from warehouse.evidence import CaptureEvidence, PayloadEvidence, evidence_sha256
from warehouse.schema.tables import (
    capture_payloads,
    pending_captures,
    quarantine,
    raw_documents,
    source_data,
    source_payloads,
    transformed_data,
)

MAX_EARLIER_CAPTURES = 2
"""The maximum number of earlier captures that are searched for a field that a capture does not state."""
HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json"
PNG_TYPE = "image/png"
_RECEIVED_TYPE = "application/octet-stream"
"""The stored type of a document as it was received. The type in its response headers is not used."""
_IS_PRUNED = text("SELECT removed_because = 'retention' FROM raw_documents WHERE sha256 = :sha256")
_Captures = Select[tuple[int, str, datetime, str, str | None]]
_REFILL = text("SELECT refill_body(:sha256, :content)")


@dataclass(frozen=True)
class StoredCapture:
    """A good capture in the audit trail."""

    source_data_id: int
    idno: str
    fetched_at: datetime
    raw_html_sha256: str
    look_sha256: str | None = None


@dataclass(frozen=True)
class CaptureContents:
    """The page and the JSON bodies of a capture. `look` is what was recorded about the look of the page, if anything.

    `damaged` is a message about a body that does not match its stored hash, or None if all bodies match. `removed` is a
    message about a removed body, with the time and the reason of the removal, or None if no body was removed.
    """

    html: bytes
    bodies: tuple[bytes, ...]
    look: bytes | None = None
    damaged: str | None = None
    removed: str | None = None


def store_capture(connection: Connection, capture: Capture, *, run_id: str, requested_by: str | None) -> int:
    """Store a capture with all its bodies and return its `source_data.id`. Store it only once, even if called again.

    A good capture becomes a pending capture.
    """
    stored = connection.scalar(select(source_data.c.id).where(source_data.c.capture_id == capture.capture_id))
    if stored is not None:
        return int(stored)
    evidence = _store_bodies(connection, capture, run_id=run_id, requested_by=requested_by)
    row = {**evidence.row(), "evidence_sha256": evidence_sha256(evidence)}
    same = find_same_answers(connection, evidence)
    if same is not None:
        # `changed_headers` begins with the headers of the document.
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
        connection.execute(insert(pending_captures).values(idno=capture.idno, source_data_id=source_data_id))
    return int(source_data_id)


def store_body(connection: Connection, content: bytes, content_type: str) -> str:
    """Store a body and return its SHA-256. Equal bodies are stored once. A body that retention removed is restored."""
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
    """Store the bodies of a capture. Return the capture as evidence, which contains hashes instead of bodies."""

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
        raw_html_sha256=body(_encode(capture.html), HTML_TYPE),
        look_sha256=body(_encode(capture.look), JSON_TYPE),
        document_sha256=body(capture.document, _RECEIVED_TYPE),
        screenshot_sha256=body(capture.screenshot, PNG_TYPE),
        run_id=run_id,
        requested_by=requested_by,
        payloads=payloads,
    )


def _encode(html: str | None) -> bytes | None:
    # A page can contain half of a surrogate pair, which UTF-8 cannot encode.
    return html.encode("utf-8", errors="replace") if html else None


def captures_of_runs(connection: Connection, run_ids: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each company that these runs visited."""
    return _newest(connection, source_data.c.run_id.in_(run_ids))


def captures_of_companies(connection: Connection, idnos: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each of these companies. A company without one is left out."""
    return _newest(connection, source_data.c.idno.in_(idnos))


def find_good_capture(connection: Connection, source_data_id: int) -> StoredCapture | None:
    """Return the capture with this id. Return None if it does not exist or is not a good capture."""
    return next(iter(good_captures(connection, [source_data_id])), None)


def good_captures(connection: Connection, source_data_ids: Collection[int]) -> list[StoredCapture]:
    """Return the captures with these ids. Leave out captures that are not good."""
    return _captures(connection, _good().where(source_data.c.id.in_(source_data_ids)))


def is_recorded(connection: Connection, capture: StoredCapture) -> bool:
    """Tell whether the company's record comes from this capture, read by this transform version."""
    query = select(transformed_data.c.idno).where(
        transformed_data.c.idno == capture.idno,
        transformed_data.c.source_data_id == capture.source_data_id,
        transformed_data.c.transform_version == version.TRANSFORM_VERSION,
    )
    return connection.scalar(query) is not None


def stale_companies(
    connection: Connection, *, cohort: str | None = None, after: str = "", limit: int
) -> list[str]:
    """Return companies whose record is stale or missing, in the order of their IDNOs.

    A record is stale if an older transform version read it or if a newer capture is pending. But if this version has
    already put the record's capture into quarantine, the record is not stale: reading it again would fail again. The
    time of the query grows with the number of stale records, not with the number of all records.

    Args:
        connection: A connection to the warehouse.
        cohort: Return only companies of this cohort.
        after: Return only companies with a greater IDNO.
        limit: The maximum number of companies to return.
    """
    record, refused = transformed_data.c, quarantine.c
    is_refused = exists().where(
        refused.source_data_id == record.source_data_id,
        refused.transform_version >= version.TRANSFORM_VERSION,
    )
    parts = [
        select(column)
        .where(column > after, *conditions, *([in_cohort(column, cohort)] if cohort else []))
        .order_by(column)
        .limit(limit)
        .subquery()
        for column, conditions in (
            (record.idno, [record.transform_version < version.TRANSFORM_VERSION, ~is_refused]),
            (pending_captures.c.idno, []),
            (refused.idno, [refused.transform_version < version.TRANSFORM_VERSION]),
        )
    ]
    stale = union(*(select(part.c.idno) for part in parts)).subquery()
    return list(connection.scalars(select(stale.c.idno).order_by(stale.c.idno).limit(limit)))


def stale_cohorts(connection: Connection) -> list[str]:
    """Return the cohorts that have a stale record."""
    return [cohort for cohort in COHORTS if stale_companies(connection, cohort=cohort, limit=1)]


def captures_to_transform(connection: Connection, idnos: Collection[str]) -> list[StoredCapture]:
    """Return each company's newest good capture that this transform version has not put into quarantine."""
    refused = exists().where(
        quarantine.c.source_data_id == source_data.c.id,
        quarantine.c.transform_version >= version.TRANSFORM_VERSION,
    )
    return _newest(connection, source_data.c.idno.in_(idnos), ~refused)


def earlier_captures(
    connection: Connection, captures: Iterable[StoredCapture]
) -> dict[int, list[StoredCapture]]:
    """Return, by `source_data_id`, up to two good captures with JSON bodies before each capture, newest first."""
    payload = capture_payloads.c
    has_bodies = exists().where(payload.source_data_id == source_data.c.id, payload.sha256.is_not(None))
    return {
        capture.source_data_id: _captures(
            connection,
            _good()
            .where(source_data.c.idno == capture.idno, source_data.c.id < capture.source_data_id, has_bodies)
            .order_by(source_data.c.id.desc())
            .limit(MAX_EARLIER_CAPTURES),
        )
        for capture in captures
    }


def delete_pending(connection: Connection, captures: Sequence[StoredCapture]) -> None:
    """Delete these captures, and all older captures of the same companies, from the pending captures."""
    connection.execute(
        text(
            "DELETE FROM pending_captures p USING unnest(CAST(:idnos AS text[]), CAST(:ids AS bigint[]))"
            " AS done (idno, id) WHERE p.idno = done.idno AND p.source_data_id <= done.id"
        ),
        {
            "idnos": [capture.idno for capture in captures],
            "ids": [capture.source_data_id for capture in captures],
        },
    )


def load_contents(connection: Connection, captures: Sequence[StoredCapture]) -> dict[int, CaptureContents]:
    """Return the contents of captures by `source_data_id`, with two queries for any number of captures."""
    hashes: dict[int, list[str]] = defaultdict(list)
    payload = capture_payloads.c
    for source_data_id, sha256 in connection.execute(
        select(payload.source_data_id, payload.sha256)
        .where(
            payload.source_data_id.in_([capture.source_data_id for capture in captures]),
            payload.sha256.is_not(None),
        )
        .order_by(payload.source_data_id, payload.position)
    ):
        hashes[source_data_id].append(sha256)
    pages = {capture.source_data_id: _page_hashes(capture) for capture in captures}
    wanted = set().union(*pages.values(), *hashes.values())
    documents = raw_documents.c
    stored = {
        sha256: bytes(content or b"")
        for sha256, content in connection.execute(
            select(documents.sha256, documents.content).where(documents.sha256.in_(wanted))
        )
    }
    damaged = {sha256 for sha256 in stored if hashlib.sha256(stored[sha256]).hexdigest() != sha256}
    # A removed body is empty, so it does not match its hash either. If a hash does not match, a third query finds
    # out whether the body was removed, when and why.
    removed = _removed(connection, damaged) if damaged else {}
    return {
        source_data_id: _contents(page, hashes[source_data_id], stored, damaged, removed)
        for source_data_id, page in pages.items()
    }


def _page_hashes(capture: StoredCapture) -> list[str]:
    """Return the hashes of the rendered page and of its look, if the capture has one."""
    return [
        capture.raw_html_sha256,
        *([capture.look_sha256] if capture.look_sha256 is not None else []),
    ]


def _removed(connection: Connection, hashes: Collection[str]) -> dict[str, str]:
    documents = raw_documents.c
    rows = connection.execute(
        select(documents.sha256, documents.removed_at, documents.removed_because).where(
            documents.sha256.in_(hashes), documents.removed_at.is_not(None)
        )
    )
    return {
        row.sha256: f"the body {row.sha256} was removed at {row.removed_at:%Y-%m-%d} ({row.removed_because})"
        for row in rows
    }


def _contents(
    page: Sequence[str],
    payloads: Sequence[str],
    stored: dict[str, bytes],
    damaged: set[str],
    removed: dict[str, str],
) -> CaptureContents:
    html, look = (*(stored[sha256] for sha256 in page), None)[:2]
    assert html is not None
    bodies = tuple(stored[sha256] for sha256 in payloads)
    hashes = [*page, *payloads]
    gone = next((removed[sha256] for sha256 in hashes if sha256 in removed), None)
    wrong = next((sha256 for sha256 in hashes if sha256 in damaged - removed.keys()), None)
    reason = f"the body stored as {wrong} has another hash" if wrong else None
    return CaptureContents(html, bodies, look, damaged=reason, removed=gone)


def _newest(connection: Connection, *conditions: ColumnElement[bool]) -> list[StoredCapture]:
    newest_first = _good().where(*conditions).order_by(source_data.c.idno, source_data.c.id.desc())
    return _captures(connection, newest_first.ext(distinct_on(source_data.c.idno)))


def _good() -> _Captures:
    columns = source_data.c
    return select(
        columns.id, columns.idno, columns.fetched_at, columns.raw_html_sha256, columns.look_sha256
    ).where(columns.outcome == Outcome.OK)


def _captures(connection: Connection, query: _Captures) -> list[StoredCapture]:
    return [
        StoredCapture(row.id, row.idno, row.fetched_at, row.raw_html_sha256, row.look_sha256)
        for row in connection.execute(query)
    ]
