"""A sweep: a walk through a list of companies, with a cursor in the warehouse from which a killed one goes on."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, func, insert, select, update

from pipeline.records.capture_load import store_body
from pipeline.register.listing import Evidence, WalkedPage
from pipeline.register.tracking import track
from warehouse.schema.tables import sweep_pages, sweeps

_LOCK = 7_267_268
"""Of PostgreSQL's advisory locks: whoever opens a sweep."""


class SweepTaken(RuntimeError):
    """Another run has moved the sweep's cursor."""


@dataclass(frozen=True)
class Sweep:
    """A walk through a list, as far as it has come."""

    id: int
    source: str
    page_size: int
    next_page: int
    seen: int
    started_at: datetime
    finished_at: datetime | None


def open_sweep(connection: Connection, source: str, *, page_size: int, restart: bool) -> Sweep:
    """Return the unfinished sweep of a source, to go on with it, or a new one."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
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
    """Return the sweep of a source that was begun last. (One before it that never ended was given up.)"""
    row = connection.execute(
        select(sweeps).where(sweeps.c.source == source).order_by(sweeps.c.id.desc()).limit(1)
    ).one_or_none()
    return _sweep(row) if row else None


def store_page(
    connection: Connection, sweep: Sweep, page: WalkedPage, *, expected_page: int, run_id: str
) -> int:
    """Track a page's companies, keep the page, move the cursor past it; return how many companies are new.

    All of it in the caller's transaction. `expected_page`: where the cursor has to stand. Raises SweepTaken.
    """
    _hold_cursor(connection, sweep, expected_page)
    now, listing = datetime.now(UTC), page.listing
    added = track(connection, listing.companies, sweep_id=sweep.id, page=page.number, seen_at=now)
    if page.evidence is not None:
        _keep(connection, sweep, page.number, page.evidence, run_id=run_id)
    connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep.id)
        .values(
            next_page=page.number + 1,
            page_size=page.size,
            total=func.coalesce(listing.total, sweeps.c.total),
            seen=sweeps.c.seen + len(listing.companies),
            added=sweeps.c.added + added,
            finished_at=now if page.is_last else None,
        )
    )
    return added


def _hold_cursor(connection: Connection, sweep: Sweep, expected_page: int) -> None:
    current = connection.execute(select(sweeps).where(sweeps.c.id == sweep.id).with_for_update()).one()
    if current.finished_at is not None or current.next_page != expected_page:
        raise SweepTaken(
            f"another run has gone on with sweep {sweep.id} of {sweep.source} past page {expected_page}:"
            " this one stops"
        )


def _keep(connection: Connection, sweep: Sweep, number: int, evidence: Evidence, *, run_id: str) -> None:
    connection.execute(
        insert(sweep_pages).values(
            sweep_id=sweep.id,
            page=number,
            url=evidence.url,
            status_code=evidence.status_code,
            sha256=store_body(connection, evidence.content, evidence.content_type),
            fetched_at=evidence.fetched_at,
            run_id=run_id,
        )
    )


def _sweep(row: Row[tuple[object, ...]]) -> Sweep:
    return Sweep(row.id, row.source, row.page_size, row.next_page, row.seen, row.started_at, row.finished_at)
