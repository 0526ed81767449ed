"""Sweeps: walks through a list of companies.

The cursor of a sweep is stored in the warehouse. If a run is interrupted, the next run resumes the sweep there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from pipeline.records.capture_store import store_body
from pipeline.register.listing import ReceivedPage, RowProblem, SweepPage
from pipeline.register.tracking import track
from warehouse.schema.advisory_locks import OPEN_SWEEP_LOCK
from warehouse.schema.tables import sweep_companies, sweep_pages, sweeps


class SweepConflict(RuntimeError):
    """Another run has advanced the sweep's cursor."""


class SweepOutcome(StrEnum):
    """Whether a sweep saw all companies of its list."""

    UNFINISHED = "unfinished"
    COMPLETE = "complete"
    SHORTFALL = "shortfall"
    """The list states more rows than the sweep saw companies and rejected rows, or no row had an IDNO."""
    LIST_CHANGED = "list_changed"
    """The list's total changed during the sweep, so rows may have moved to pages that were read already."""


@dataclass(frozen=True)
class Sweep:
    """A sweep with its cursor (the next page to read) and what it has seen so far.

    `seen` counts distinct companies, `repeated` rows whose company an earlier row has, `rejected` rows without a valid
    IDNO. `total` is the number of rows that the list stated last, and `total_changes` how often it stated another one.
    """

    id: int
    source: str
    page_size: int
    next_page: int
    total: int | None
    seen: int
    rejected: int
    repeated: int
    total_changes: int
    started_at: datetime
    finished_at: datetime | None

    @property
    def missing(self) -> int:
        """How many companies of the list the sweep has not seen, according to the list's total."""
        return max(0, (self.total or 0) - self.seen - self.rejected)

    @property
    def outcome(self) -> SweepOutcome:
        """Whether the sweep saw all companies of its list."""
        if self.finished_at is None:
            return SweepOutcome.UNFINISHED
        if self.missing or (self.total and not self.seen):
            return SweepOutcome.SHORTFALL
        return SweepOutcome.LIST_CHANGED if self.total_changes else SweepOutcome.COMPLETE


@dataclass(frozen=True)
class StoredPage:
    """A page after it has been stored.

    `sweep` is the sweep after the page. `new` counts the companies that no earlier page of the sweep had, `added` those
    that were not tracked before. `repeated` has the rows with companies that an earlier row had.
    """

    sweep: Sweep
    new: int
    added: int
    repeated: tuple[RowProblem, ...]


def open_sweep(connection: Connection, source: str, *, page_size: int, restart: bool) -> Sweep:
    """Return the newest sweep of a source if it is unfinished. Otherwise, or with `restart`, create a new one."""
    connection.execute(select(func.pg_advisory_xact_lock(OPEN_SWEEP_LOCK)))
    newest = newest_sweep(connection, source)
    if newest is not None and newest.finished_at is None and not restart:
        return newest
    if newest is not None:
        connection.execute(delete(sweep_companies).where(sweep_companies.c.sweep_id == newest.id))
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


def newest_finished_sweeps(connection: Connection) -> list[Sweep]:
    """Return the newest finished sweep of each source."""
    query = (
        select(sweeps)
        .ext(distinct_on(sweeps.c.source))
        .where(sweeps.c.finished_at.is_not(None))
        .order_by(sweeps.c.source, sweeps.c.id.desc())
    )
    return [_sweep(row) for row in connection.execute(query)]


def store_page(
    connection: Connection, sweep: Sweep, page: SweepPage, *, expected_page: int, run_id: str
) -> StoredPage:
    """Track a page's companies, store the page and advance the cursor, in the caller's transaction.

    Args:
        connection: A connection in the caller's transaction.
        sweep: The sweep that the page belongs to.
        page: The page to store.
        expected_page: The page number that the stored cursor must have; otherwise another run has moved it.
        run_id: The run that fetched the page.

    Raises:
        SweepConflict: The cursor is at another page.
    """
    before = _lock_cursor(connection, sweep, expected_page)
    now, parsed = datetime.now(UTC), page.parsed
    earlier = _seen_earlier(connection, sweep, page)
    new, repeated = len(parsed.companies) - len(earlier), (*parsed.repeated, *earlier)
    added = track(connection, parsed.companies, sweep_id=sweep.id, page=page.number, seen_at=now)
    if page.received is not None:
        _store_received(connection, sweep, page.number, page.received, run_id=run_id)
    seen, rejected = before.seen + new, before.rejected + len(parsed.rejected)
    # A file does not state a total; its rows are all there are.
    total = seen + rejected if page.received is None and page.is_last else parsed.total
    has_other_total = None not in (total, before.total) and total != before.total
    row = connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep.id)
        .values(
            next_page=page.number + 1,
            page_size=page.size,
            total=before.total if total is None else total,
            seen=seen,
            added=sweeps.c.added + added,
            rejected=rejected,
            repeated=before.repeated + len(repeated),
            total_changes=before.total_changes + has_other_total,
            finished_at=now if page.is_last else None,
        )
        .returning(sweeps)
    ).one()
    if page.is_last:
        connection.execute(delete(sweep_companies).where(sweep_companies.c.sweep_id == sweep.id))
    return StoredPage(_sweep(row), new, added, repeated)


def _seen_earlier(connection: Connection, sweep: Sweep, page: SweepPage) -> list[RowProblem]:
    """Note the companies of a page as seen; return the rows with companies that earlier pages of the sweep had."""
    companies = page.parsed.companies
    if not companies:
        return []
    statement = insert(sweep_companies).values(
        [{"sweep_id": sweep.id, "idno": company.idno} for company in companies]
    )
    new = set(connection.scalars(statement.on_conflict_do_nothing().returning(sweep_companies.c.idno)))
    return [
        RowProblem(company.row, company.idno, "an earlier page has the company, too")
        for company in companies
        if company.idno not in new
    ]


def _lock_cursor(connection: Connection, sweep: Sweep, expected_page: int) -> Sweep:
    current = connection.execute(select(sweeps).where(sweeps.c.id == sweep.id).with_for_update()).one()
    if current.finished_at is not None or current.next_page != expected_page:
        raise SweepConflict(
            f"another run has advanced sweep {sweep.id} of {sweep.source} past page {expected_page};"
            " this run stops"
        )
    return _sweep(current)


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
    return Sweep(**{name: getattr(row, name) for name in Sweep.__dataclass_fields__})
