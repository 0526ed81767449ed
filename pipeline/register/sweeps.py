"""Sweeps: walks through a list of companies.

The cursor of a sweep is stored in the warehouse. If a run is interrupted, the next run resumes the sweep there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, func, insert, select, update

from pipeline.records.capture_store import store_body
from pipeline.register.listing import ReceivedPage, SweepPage
from pipeline.register.tracking import track
from warehouse.schema.advisory_locks import OPEN_SWEEP_LOCK
from warehouse.schema.tables import sweep_pages, sweeps


class SweepConflict(RuntimeError):
    """Another run has advanced the sweep's cursor."""


@dataclass(frozen=True)
class Sweep:
    """A sweep with its cursor (the next page to read) and the number of companies seen so far."""

    id: int
    source: str
    page_size: int
    next_page: int
    seen: int
    started_at: datetime
    finished_at: datetime | None


def open_sweep(connection: Connection, source: str, *, page_size: int, restart: bool) -> Sweep:
    """Return the newest sweep of a source if it is unfinished. Otherwise, or with `restart`, create a new one."""
    connection.execute(select(func.pg_advisory_xact_lock(OPEN_SWEEP_LOCK)))
    newest = newest_sweep(connection, source)
    if newest is not None and newest.finished_at is None and not restart:
        return newest
    row = connection.execute(
        insert(sweeps)
        .values(
            source=source, page_size=page_size, next_page=0, seen=0, added=0, started_at=datetime.now(UTC)
        )
        .returning(sweeps)
    ).one()
    return _sweep(row)


def newest_sweep(connection: Connection, source: str) -> Sweep | None:
    """Return the most recently started sweep of a source, or None. Earlier unfinished sweeps are never resumed."""
    row = connection.execute(
        select(sweeps).where(sweeps.c.source == source).order_by(sweeps.c.id.desc()).limit(1)
    ).one_or_none()
    return _sweep(row) if row else None


def store_page(
    connection: Connection, sweep: Sweep, page: SweepPage, *, expected_page: int, run_id: str
) -> int:
    """Track a page's companies, store the page and advance the cursor, in the caller's transaction.

    Args:
        connection: A connection in the caller's transaction.
        sweep: The sweep that the page belongs to.
        page: The page to store.
        expected_page: The page number that the stored cursor must have; otherwise another run has moved it.
        run_id: The run that fetched the page.

    Returns:
        The number of companies that were not tracked before.

    Raises:
        SweepConflict: The cursor is at another page.
    """
    _lock_cursor(connection, sweep, expected_page)
    now, parsed = datetime.now(UTC), page.parsed
    added = track(connection, parsed.companies, sweep_id=sweep.id, page=page.number, seen_at=now)
    if page.received is not None:
        _store_received(connection, sweep, page.number, page.received, run_id=run_id)
    connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep.id)
        .values(
            next_page=page.number + 1,
            page_size=page.size,
            total=func.coalesce(parsed.total, sweeps.c.total),
            seen=sweeps.c.seen + len(parsed.companies),
            added=sweeps.c.added + added,
            finished_at=now if page.is_last else None,
        )
    )
    return added


def _lock_cursor(connection: Connection, sweep: Sweep, expected_page: int) -> None:
    current = connection.execute(select(sweeps).where(sweeps.c.id == sweep.id).with_for_update()).one()
    if current.finished_at is not None or current.next_page != expected_page:
        raise SweepConflict(
            f"another run has advanced sweep {sweep.id} of {sweep.source} past page {expected_page};"
            " this run stops"
        )


def _store_received(
    connection: Connection, sweep: Sweep, number: int, received: ReceivedPage, *, run_id: str
) -> None:
    connection.execute(
        insert(sweep_pages).values(
            sweep_id=sweep.id,
            page=number,
            url=received.url,
            status_code=received.status_code,
            sha256=store_body(connection, received.content, received.content_type),
            fetched_at=received.fetched_at,
            run_id=run_id,
        )
    )


def _sweep(row: Row[tuple[object, ...]]) -> Sweep:
    return Sweep(row.id, row.source, row.page_size, row.next_page, row.seen, row.started_at, row.finished_at)
