"""Retention in the API's own database: removes expired rows once a day, in small transactions."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.settings import AccountRetentionSettings
from api.users_tables import audit_log, batch_items, batches, launch_scrapes, launches, scrapes, sessions
from warehouse.schema.advisory_locks import ACCOUNT_RETENTION_LOCK

logger = logging.getLogger(__name__)

INTERVAL = timedelta(days=1)
_FIRST_DELAY_SECONDS = 60.0
_ROWS_PER_TRANSACTION = 1000
_KEPT_EVENTS = ("log_pruned", "person_erased", "restored")
"""Events that are never pruned; the same list as in the database's function `prune_audit_log`."""
RemovedRows = Mapping[str, int]
"""The number of removed rows by kind."""


@dataclass(frozen=True)
class _Removal:
    """One kind of row to remove. `remove` deletes some of these rows and returns their number; 0: none is left."""

    name: str
    remove: Callable[[AsyncConnection], Awaitable[int]]


async def remove_expired_forever(users: AsyncEngine, settings: AccountRetentionSettings) -> None:
    """Remove expired rows once a day until cancelled. A lock lets only one API process remove rows at a time."""
    # Random, so that the processes do not all begin at the same time.
    await asyncio.sleep(_FIRST_DELAY_SECONDS * (1 + random.random()))  # noqa: S311
    while True:
        try:
            removed = await remove_expired(users, settings)
            if any(removed.values()):
                logger.info(
                    "removed expired rows: %s",
                    ", ".join(f"{count} {name}" for name, count in removed.items()),
                )
        except Exception:  # the next attempt may succeed; the loop must not end
            logger.exception("removing expired rows failed, retrying tomorrow")
        await asyncio.sleep(INTERVAL.total_seconds())


async def remove_expired(
    engine: AsyncEngine, settings: AccountRetentionSettings, *, dry_run: bool = False
) -> RemovedRows:
    """Remove rows that are older than the settings allow, and return how many of each kind.

    A dry run removes and counts the rows, then rolls back. If another process is removing rows at the moment, nothing
    is removed.
    """
    removals = _removals(settings, datetime.now(UTC))
    async with engine.connect() as lock:
        if not await lock.scalar(select(func.pg_try_advisory_xact_lock(ACCOUNT_RETENTION_LOCK))):
            return dict.fromkeys((removal.name for removal in removals), 0)
        if dry_run:
            removed = {removal.name: await _remove_all(removal, lock) for removal in removals}
            await lock.rollback()
            return removed
        return {removal.name: await _remove_in_small_transactions(removal, engine) for removal in removals}


async def _remove_all(removal: _Removal, connection: AsyncConnection) -> int:
    total = 0
    while removed := await removal.remove(connection):
        total += removed
    return total


async def _remove_in_small_transactions(removal: _Removal, engine: AsyncEngine) -> int:
    """Remove at most a thousand rows per transaction, so that no transaction locks many rows for long."""
    total = 0
    while True:
        async with engine.begin() as connection:
            removed = await removal.remove(connection)
        total += removed
        if not removed:
            return total


def _removals(settings: AccountRetentionSettings, now: datetime) -> list[_Removal]:
    sessions_cutoff = now - timedelta(days=settings.keep_sessions_days)
    requests_cutoff = now - timedelta(days=settings.keep_requests_days)
    ended = func.least(func.coalesce(sessions.c.ended_at, sessions.c.expires_at), sessions.c.expires_at)
    is_in_batch = batch_items.c.batch_id == batches.c.id
    is_recent = (scrapes.c.id == batch_items.c.scrape_id) & (
        scrapes.c.finished_at.is_(None) | (scrapes.c.finished_at >= requests_cutoff)
    )
    removals = [
        _removal("sessions", sessions, ended < sessions_cutoff),
        # Foreign keys cascade: with a batch, its items and requests are deleted too; with a scrape, its requests.
        _removal(
            "batches",
            batches,
            batches.c.created_at < requests_cutoff,
            ~exists().where(is_in_batch, is_recent),
        ),
        _removal(
            "requests",
            scrapes,
            scrapes.c.finished_at < requests_cutoff,
            ~exists().where(batch_items.c.scrape_id == scrapes.c.id),
        ),
        _removal(
            "launches",
            launches,
            launches.c.created_at < requests_cutoff,
            ~exists().where(launch_scrapes.c.launch_id == launches.c.id),
            ~exists().where(scrapes.c.launch_id == launches.c.id),
        ),
    ]
    if settings.keep_audit_days is not None:
        removals.append(_audit_log_removal(now - timedelta(days=settings.keep_audit_days)))
    return removals


def _removal(name: str, table: Table, *conditions: ColumnElement[bool]) -> _Removal:
    some = (
        select(table.c.id).where(*conditions).limit(_ROWS_PER_TRANSACTION).with_for_update(skip_locked=True)
    )
    statement = delete(table).where(table.c.id.in_(some))

    async def remove(connection: AsyncConnection) -> int:
        return (await connection.execute(statement)).rowcount

    return _Removal(name, remove)


def _audit_log_removal(cutoff: datetime) -> _Removal:
    """Return the removal of audit log entries.

    Only the database function `prune_audit_log` may delete them; it adds an entry about the deletion.
    """

    async def remove(connection: AsyncConnection) -> int:
        # At most 30 days of entries per call, so that a long backlog does not become a statement that runs for minutes.
        oldest = await connection.scalar(
            select(func.min(audit_log.c.at)).where(audit_log.c.event.not_in(_KEPT_EVENTS))
        )
        if oldest is None or oldest >= cutoff:
            return 0
        until = min(cutoff, oldest + timedelta(days=30))
        return int(await connection.scalar(text("SELECT prune_audit_log(:until)"), {"until": until}) or 0)

    return _Removal(str(audit_log.name), remove)
