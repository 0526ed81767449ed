"""Stored good captures: which there are, which are to be transformed, and what they hold."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, exists, select, union
from sqlalchemy.dialects.postgresql import distinct_on

from pipeline.records.cohorts import COHORTS, in_cohort
from pipeline.transform import version
from warehouse.contract import Outcome
from warehouse.schema.tables import (
    capture_payloads,
    pending_captures,
    quarantine,
    raw_documents,
    source_data,
    transformed_data,
)

MOST_EARLIER = 2
"""How many earlier captures are looked at for what a capture leaves open."""


@dataclass(frozen=True)
class StoredCapture:
    """A good capture, as the audit trail holds it."""

    source_data_id: int
    idno: str
    fetched_at: datetime
    raw_html_sha256: str


@dataclass(frozen=True)
class Contents:
    """What a capture holds. `damaged` says which stored body has another hash; `removed`, which one is held no more."""

    html: bytes
    bodies: tuple[bytes, ...]
    damaged: str | None = None
    removed: str | None = None


def captures_of_runs(connection: Connection, run_ids: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each company that these runs visited."""
    return _newest(connection, source_data.c.run_id.in_(run_ids))


def captures_of_companies(connection: Connection, idnos: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each of these companies; one without any is left out."""
    return _newest(connection, source_data.c.idno.in_(idnos))


def stored_capture(connection: Connection, source_data_id: int) -> StoredCapture | None:
    """Return a capture if it is a good one."""
    return next(iter(captures_by_id(connection, [source_data_id])), None)


def captures_by_id(connection: Connection, source_data_ids: Collection[int]) -> list[StoredCapture]:
    """Return those of these captures that are good ones."""
    return _captures(connection, _good().where(source_data.c.id.in_(source_data_ids)))


def is_current(connection: Connection, capture: StoredCapture) -> bool:
    """Tell whether the company's record is this capture's, as this version reads it."""
    query = select(transformed_data.c.idno).where(
        transformed_data.c.idno == capture.idno,
        transformed_data.c.source_data_id == capture.source_data_id,
        transformed_data.c.transform_version == version.TRANSFORM_VERSION,
    )
    return connection.scalar(query) is not None


def stale_companies(
    connection: Connection, *, cohort: str | None = None, after: str = "", limit: int
) -> list[str]:
    """Return the first companies after an IDNO whose record is stale: an older version's, or a newer capture waits.

    What this version has refused before is not stale. The time it takes grows with what is stale, not with what is
    stored.
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
    """Return the cohorts in which any record is stale."""
    return [cohort for cohort in COHORTS if stale_companies(connection, cohort=cohort, limit=1)]


def captures_to_transform(connection: Connection, idnos: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each company, of those that this version has not refused."""
    refused = exists().where(
        quarantine.c.source_data_id == source_data.c.id,
        quarantine.c.transform_version >= version.TRANSFORM_VERSION,
    )
    return _newest(connection, source_data.c.idno.in_(idnos), ~refused)


def earlier_captures(
    connection: Connection, captures: Iterable[StoredCapture]
) -> dict[int, list[StoredCapture]]:
    """Return for each capture the newest earlier good ones of its company that hold data, the newest first."""
    payload = capture_payloads.c
    holds_data = exists().where(payload.source_data_id == source_data.c.id, payload.sha256.is_not(None))
    return {
        capture.source_data_id: _captures(
            connection,
            _good()
            .where(source_data.c.idno == capture.idno, source_data.c.id < capture.source_data_id, holds_data)
            .order_by(source_data.c.id.desc())
            .limit(MOST_EARLIER),
        )
        for capture in captures
    }


def load_contents(connection: Connection, captures: Sequence[StoredCapture]) -> dict[int, Contents]:
    """Return what these captures hold, by capture: two queries, however many there are."""
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
    wanted = {capture.raw_html_sha256 for capture in captures}.union(*hashes.values())
    documents = raw_documents.c
    stored = {
        sha256: bytes(content or b"")
        for sha256, content in connection.execute(
            select(documents.sha256, documents.content).where(documents.sha256.in_(wanted))
        )
    }
    damaged = {sha256 for sha256 in stored if hashlib.sha256(stored[sha256]).hexdigest() != sha256}
    # What is damaged may be gone altogether: only then it is looked up when that was, and why.
    removed = _removed(connection, damaged) if damaged else {}
    return {
        capture.source_data_id: _contents(
            [capture.raw_html_sha256, *hashes[capture.source_data_id]], stored, damaged, removed
        )
        for capture in captures
    }


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
    hashes: Sequence[str], stored: dict[str, bytes], damaged: set[str], removed: dict[str, str]
) -> Contents:
    html, *bodies = (stored[sha256] for sha256 in hashes)
    gone = next((removed[sha256] for sha256 in hashes if sha256 in removed), None)
    wrong = next((sha256 for sha256 in hashes if sha256 in damaged - removed.keys()), None)
    reason = f"the body stored as {wrong} has another hash" if wrong else None
    return Contents(html, tuple(bodies), damaged=reason, removed=gone)


def _newest(connection: Connection, *conditions: ColumnElement[bool]) -> list[StoredCapture]:
    newest_first = _good().where(*conditions).order_by(source_data.c.idno, source_data.c.id.desc())
    return _captures(connection, newest_first.ext(distinct_on(source_data.c.idno)))


def _good() -> Select[tuple[int, str, datetime, str]]:
    columns = source_data.c
    return select(columns.id, columns.idno, columns.fetched_at, columns.raw_html_sha256).where(
        columns.outcome == Outcome.OK
    )


def _captures(connection: Connection, query: Select[tuple[int, str, datetime, str]]) -> list[StoredCapture]:
    return [
        StoredCapture(row.id, row.idno, row.fetched_at, row.raw_html_sha256)
        for row in connection.execute(query)
    ]
