"""Retention in the API's own database: what is over for long enough goes, once a day, a little at a time."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.services import Services
from api.settings import AccountRetentionSettings
from api.users_tables import audit_log, batch_items, batches, launch_scrapes, launches, scrapes, sessions
from warehouse.schema.advisory_locks import ACCOUNT_RETENTION_LOCK

logger = logging.getLogger(__name__)

EVERY = timedelta(days=1)
_FIRST_AFTER_SECONDS = 60.0
_AT_ONCE = 1000
_KEPT = ("log_pruned", "person_erased", "restored")
"""Events that are never pruned, as the database's own function has it."""
RemovedRows = Mapping[str, int]
"""How many rows went, by what they are."""


@dataclass(frozen=True)
class _Step:
    """One kind of thing that goes: by what it is called, and a function that removes some and tells how many."""

    name: str
    remove: Callable[[AsyncConnection], Awaitable[int]]


async def remove_expired_forever(services: Services) -> None:
    """Tidy once a day until cancelled; of several API processes one does it at a time."""
    await asyncio.sleep(_FIRST_AFTER_SECONDS * (1 + random.random()))  # noqa: S311 - so that not all begin at once
    while True:
        try:
            gone = await remove_expired(services.users, services.settings)
            if any(gone.values()):
                logger.info("tidied: %s", ", ".join(f"{count} {name}" for name, count in gone.items()))
        except Exception as error:  # whatever it is, tomorrow may do better; the loop must not end
            logger.warning("tidying failed, trying again tomorrow: %s: %s", type(error).__name__, error)
        await asyncio.sleep(EVERY.total_seconds())


async def remove_expired(
    engine: AsyncEngine, settings: AccountRetentionSettings, *, dry_run: bool = False
) -> RemovedRows:
    """Remove what the settings keep no longer; return how much of each. A dry run takes all back."""
    steps = _steps(settings, datetime.now(UTC))
    async with engine.connect() as lock:
        if not await lock.scalar(select(func.pg_try_advisory_xact_lock(ACCOUNT_RETENTION_LOCK))):
            return dict.fromkeys((step.name for step in steps), 0)
        if dry_run:
            gone = {step.name: await _all(step, lock) for step in steps}
            await lock.rollback()
            return gone
        return {step.name: await _bit_by_bit(step, engine) for step in steps}


async def _all(step: _Step, connection: AsyncConnection) -> int:
    gone = 0
    while removed := await step.remove(connection):
        gone += removed
    return gone


async def _bit_by_bit(step: _Step, engine: AsyncEngine) -> int:
    """Remove with a transaction for every thousand, so that nobody waits for all of it."""
    gone = 0
    while True:
        async with engine.begin() as connection:
            removed = await step.remove(connection)
        gone += removed
        if not removed:
            return gone


def _steps(settings: AccountRetentionSettings, now: datetime) -> list[_Step]:
    sessions_until = now - timedelta(days=settings.keep_sessions_days)
    until = now - timedelta(days=settings.keep_requests_days)
    ended = func.least(func.coalesce(sessions.c.ended_at, sessions.c.expires_at), sessions.c.expires_at)
    of_batch = batch_items.c.batch_id == batches.c.id
    is_recent = (scrapes.c.id == batch_items.c.scrape_id) & (
        scrapes.c.finished_at.is_(None) | (scrapes.c.finished_at >= until)
    )
    steps = [
        _removal("sessions", sessions, ended < sessions_until),
        # With a batch go its items and requests, with a scrape its requests, by the tables' own rules.
        _removal("batches", batches, batches.c.created_at < until, ~exists().where(of_batch, is_recent)),
        _removal(
            "requests",
            scrapes,
            scrapes.c.finished_at < until,
            ~exists().where(batch_items.c.scrape_id == scrapes.c.id),
        ),
        _removal(
            "launches",
            launches,
            launches.c.created_at < until,
            ~exists().where(launch_scrapes.c.launch_id == launches.c.id),
            ~exists().where(scrapes.c.launch_id == launches.c.id),
        ),
    ]
    if settings.keep_audit_days is not None:
        steps.append(_audit_step(now - timedelta(days=settings.keep_audit_days)))
    return steps


def _removal(name: str, table: Table, *conditions: ColumnElement[bool]) -> _Step:
    some = select(table.c.id).where(*conditions).limit(_AT_ONCE).with_for_update(skip_locked=True)
    statement = delete(table).where(table.c.id.in_(some))

    async def remove(connection: AsyncConnection) -> int:
        return (await connection.execute(statement)).rowcount

    return _Step(name, remove)


def _audit_step(until: datetime) -> _Step:
    """Entries of the audit log go by a function of its owner alone, which writes down that they went."""

    async def remove(connection: AsyncConnection) -> int:
        # A month at a time, so that a long backlog is no statement of minutes.
        oldest = await connection.scalar(
            select(func.min(audit_log.c.at)).where(audit_log.c.event.not_in(_KEPT))
        )
        if oldest is None or oldest >= until:
            return 0
        some = min(until, oldest + timedelta(days=30))
        return int(await connection.scalar(text("SELECT prune_audit_log(:until)"), {"until": some}) or 0)

    return _Step(str(audit_log.name), remove)
