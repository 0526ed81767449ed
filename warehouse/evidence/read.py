"""Reads stored captures one by one and verifies their hashes."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, any_, case, func, literal, select

from warehouse.evidence.capture_evidence import CaptureEvidence, PayloadEvidence, evidence_sha256, iso
from warehouse.evidence.evidence_errors import EvidenceDamaged
from warehouse.schema.tables import capture_payloads, raw_documents, source_data

_ROWS_AT_ONCE = 50
_first = source_data.alias("first")
_CAPTURES = select(
    *(column for column in source_data.c if column is not source_data.c.response_headers),
    case(
        (source_data.c.same_as.is_(None), source_data.c.response_headers),
        else_=_first.c.response_headers.op("||")(source_data.c.changed_headers[0]),
    ).label("response_headers"),
).outerjoin(_first, _first.c.id == source_data.c.same_as)
"""Selects captures with all headers. A row that names an earlier capture (`same_as`) holds only headers that differ."""


@dataclass(frozen=True)
class Period:
    """A period of time: from `since` (inclusive) to `until` (exclusive). None means no limit."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class VerifiedCapture:
    """A capture whose hashes were verified. `bodies` holds its bodies by their hashes.

    `sha256` is the hash of the whole capture. It is None if the capture was stored before such hashes existed. In that
    case, only its bodies were verified. For each removed body, `removed` says when and why, by the body's hash.
    """

    source_data_id: int
    evidence: CaptureEvidence
    sha256: str | None
    bodies: Mapping[str, bytes]
    removed: Mapping[str, str]


def count_captures(connection: Connection, idno: str, period: Period) -> int:
    """Return the number of a company's captures in a period."""
    statement = select(func.count()).select_from(source_data).where(_condition(idno, period))
    return int(connection.execute(statement).scalar_one())


def load_evidence(
    connection: Connection, idno: str, period: Period | None = None
) -> Iterator[VerifiedCapture]:
    """Yield a company's verified captures, oldest first. Raises EvidenceDamaged at the first damaged one.

    Only one capture at a time is in memory. Use a REPEATABLE READ transaction to read one state of the database.
    """
    statement = _CAPTURES.where(_condition(idno, period or Period())).order_by(source_data.c.id)
    rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
    for row in rows.mappings():
        yield _verified_capture(connection, row)


def captures_requested_by(connection: Connection, username: str) -> Iterator[tuple[int, CaptureEvidence]]:
    """Yield (id, evidence) of the captures that a user requested, alone or with others.

    Each capture's own hash is verified, but its bodies are not read.
    """
    is_requester = literal(username) == any_(func.string_to_array(source_data.c.requested_by, ", "))
    for row in connection.execute(_CAPTURES.where(is_requester)).mappings():
        yield row["id"], _verified_evidence(connection, row)


def _condition(idno: str, period: Period) -> ColumnElement[bool]:
    conditions = [source_data.c.idno == idno]
    if period.since is not None:
        conditions.append(source_data.c.fetched_at >= period.since)
    if period.until is not None:
        conditions.append(source_data.c.fetched_at < period.until)
    return and_(*conditions)


def _verified_capture(connection: Connection, row: RowMapping) -> VerifiedCapture:
    evidence = _verified_evidence(connection, row)
    bodies = _bodies(connection, evidence, _label(row))
    return VerifiedCapture(
        row["id"],
        evidence,
        row["evidence_sha256"],
        {sha256: body for sha256, body in bodies.items() if isinstance(body, bytes)},
        {sha256: body for sha256, body in bodies.items() if isinstance(body, str)},
    )


def _label(row: RowMapping) -> str:
    return f"capture {row['id']} of {row['idno']}, fetched at {iso(row['fetched_at'])}"


def _verified_evidence(connection: Connection, row: RowMapping) -> CaptureEvidence:
    """Return a capture that matches its stored hash. Raises EvidenceDamaged if it does not."""
    evidence = _evidence(row, _payloads(connection, row["id"]))
    stored = row["evidence_sha256"]
    if stored is None and evidence.capture_id is not None:
        raise EvidenceDamaged(f"{_label(row)}: its hash is missing")
    if stored is not None and stored != evidence_sha256(evidence):
        raise EvidenceDamaged(f"{_label(row)}: its content does not match its hash {stored}")
    return evidence


def _evidence(row: RowMapping, payloads: tuple[PayloadEvidence, ...]) -> CaptureEvidence:
    fields = CaptureEvidence.model_fields.keys() - {"payloads"}
    return CaptureEvidence(**{field: row[field] for field in fields}, payloads=payloads)


def _payloads(connection: Connection, source_data_id: int) -> tuple[PayloadEvidence, ...]:
    rows = connection.execute(
        select(capture_payloads)
        .where(capture_payloads.c.source_data_id == source_data_id)
        .order_by(capture_payloads.c.position)
    ).mappings()
    return tuple(
        PayloadEvidence(**{field: row[field] for field in PayloadEvidence.model_fields}) for row in rows
    )


def _bodies(connection: Connection, evidence: CaptureEvidence, capture: str) -> dict[str, bytes | str]:
    """Return the bodies by hash. For a removed body, return a text that says when and why it was removed."""
    documents = (
        evidence.raw_html_sha256,
        evidence.look_sha256,
        evidence.document_sha256,
        evidence.screenshot_sha256,
    )
    hashes = (*documents, *(payload.sha256 for payload in evidence.payloads))
    return {sha256: _body(connection, sha256, capture) for sha256 in hashes if sha256 is not None}


def _body(connection: Connection, sha256: str, capture: str) -> bytes | str:
    documents = raw_documents.c
    query = select(documents.content, documents.removed_at, documents.removed_because)
    row = connection.execute(query.where(documents.sha256 == sha256)).one_or_none()
    if row is None:
        raise EvidenceDamaged(f"{capture}: its body {sha256} is missing")
    if row.removed_at is not None:
        return f"removed at {iso(row.removed_at)}: {row.removed_because}"
    if hashlib.sha256(row.content).hexdigest() != sha256:
        raise EvidenceDamaged(f"{capture}: the content of its body {sha256} has another hash")
    return bytes(row.content)
