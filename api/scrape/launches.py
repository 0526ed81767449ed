"""The SQL of launches. A launch is a row that becomes one Dagster run for one or more scrapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import case, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.scrape import repository
from api.scrape.states import ScrapeState
from api.users_tables import launch_scrapes, launches, scrape_requests, scrapes, users
from telemetry import request_ids, traces
from warehouse.contract import RunKind

MAX_SINGLE_COMPANIES = 50
"""The maximum number of companies in a launch for single requests. For bulk work it is the setting `run_companies`."""
CLAIM_DURATION = timedelta(seconds=90)
"""Longer than a launch can take. A claim expires only if its process has died or did not get Dagster's answer."""
_MAX_NAMES_LENGTH = 200
_MAX_REQUEST_IDS = 5

_Item = TypeVar("_Item")
_IS_LAUNCHING = scrapes.c.state == ScrapeState.LAUNCHING


@dataclass(frozen=True)
class LaunchOrigin:
    """What caused a launch: a request and the span in which it was handled. The run carries both as tags.

    `request_id` is the id of an HTTP request or of a batch; several ids are joined by commas.
    """

    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def current(cls, request_id: str | None = None) -> "LaunchOrigin":
        """Return the origin with the current span. `request_id` defaults to the id of the handled request."""
        return cls(request_id or request_ids.current(), traces.traceparent())


@dataclass(frozen=True)
class Launch:
    """A launch without a run that an API process has claimed, so that no other process starts its run.

    `idnos` are the companies to fetch.
    """

    id: UUID
    kind: RunKind
    requested_by: str
    attempts: int
    error: str | None
    origin: LaunchOrigin
    idnos: tuple[str, ...]
    since: datetime
    """When the newest of the scrapes was opened. The run skips a company that has a good capture newer than this."""


@dataclass(frozen=True)
class LaunchProgress:
    """The run of a launch (None until there is one), and the error of the last attempt to launch the run."""

    run_id: str | None
    error: str | None


async def create(
    connection: AsyncConnection,
    scrape_ids: Sequence[UUID],
    *,
    kind: RunKind,
    requested_by: str,
    origin: LaunchOrigin,
    is_claimed: bool = False,
) -> UUID:
    """Create a launch, move open scrapes into it, and return its id.

    Args:
        connection: A connection in a transaction that has locked the scrapes.
        scrape_ids: The scrapes to move; all are open.
        kind: Whether the run serves single requests or bulk work.
        requested_by: The usernames of the requesters.
        origin: What caused the launch.
        is_claimed: Whether to claim the launch, because the caller launches it now. Otherwise any process may
            claim it.
    """
    launch_id = uuid4()
    claimed_until = func.now() + CLAIM_DURATION if is_claimed else func.now()
    await connection.execute(
        insert(launches).values(
            id=launch_id,
            kind=kind,
            requested_by=requested_by,
            request_id=origin.request_id,
            traceparent=origin.traceparent,
            attempts=int(is_claimed),
            claimed_until=claimed_until,
        )
    )
    await connection.execute(
        insert(launch_scrapes), [{"launch_id": launch_id, "scrape_id": scrape_id} for scrape_id in scrape_ids]
    )
    await connection.execute(
        update(scrapes)
        .where(scrapes.c.id.in_(scrape_ids))
        .values(launch_id=launch_id, state=ScrapeState.LAUNCHING, deferred_until=None, error=None)
    )
    return launch_id


async def create_in_parts(
    connection: AsyncConnection,
    scrape_ids: Sequence[UUID],
    *,
    kind: RunKind,
    run_companies: int,
    origin: LaunchOrigin | None = None,
) -> None:
    """Create launches for open scrapes, as few as the maximum number of companies per launch allows.

    Args:
        connection: A connection in a transaction that has locked the scrapes.
        scrape_ids: The open scrapes.
        kind: Whether the runs serve single requests or bulk work.
        run_companies: The maximum number of companies in a launch for bulk work.
        origin: What caused the launches. If None, use the origins of the scrapes' last launches.
    """
    limit = min(MAX_SINGLE_COMPANIES, run_companies) if kind is RunKind.PERSON else run_companies
    for part in in_parts(scrape_ids, limit):
        requested_by = await _list_requesters(connection, part)
        part_origin = origin or await _last_origin(connection, part)
        await create(connection, part, kind=kind, requested_by=requested_by, origin=part_origin)


def in_parts(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """Split items into parts of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


async def _list_requesters(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> str:
    """Return the names of the users who requested these scrapes and did not cancel, joined by commas."""
    query = (
        select(users.c.username)
        .join(scrape_requests, scrape_requests.c.user_id == users.c.id)
        .where(scrape_requests.c.scrape_id.in_(scrape_ids), scrape_requests.c.withdrawn_at.is_(None))
        .distinct()
        .order_by(users.c.username)
    )
    return _join_names((await connection.execute(query)).scalars().all())


def _join_names(names: Sequence[str]) -> str:
    """Join as many names as fit into _MAX_NAMES_LENGTH.

    A name is never truncated, so that a search by username finds the run.
    """
    while len(joined := ", ".join(names)) > _MAX_NAMES_LENGTH:
        names = names[:-1]
    return joined


async def _last_origin(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> LaunchOrigin:
    """Combine the origins of these scrapes' last launches: a few request ids, and the span if there is only one."""
    query = (
        select(launches.c.request_id, launches.c.traceparent)
        .join(scrapes, scrapes.c.launch_id == launches.c.id)
        .where(scrapes.c.id.in_(scrape_ids), launches.c.request_id.is_not(None))
        .distinct()
        .limit(_MAX_REQUEST_IDS)
    )
    rows = (await connection.execute(query)).all()
    request_ids_found = {request_id for row in rows for request_id in row.request_id.split(",")}
    traceparent = rows[0].traceparent if len(rows) == 1 else None
    return LaunchOrigin(",".join(sorted(request_ids_found)[:_MAX_REQUEST_IDS]) or None, traceparent)


async def list_unclaimed(connection: AsyncConnection, *, limit: int) -> Sequence[UUID]:
    """Return the ids of launches without a run that no process has claimed; those for single requests come first."""
    query = (
        select(launches.c.id)
        .where(
            launches.c.run_id.is_(None),
            launches.c.claimed_until <= func.now(),
            exists().where(scrapes.c.launch_id == launches.c.id, _IS_LAUNCHING),
        )
        .order_by(case((launches.c.kind == RunKind.PERSON, 0), else_=1), launches.c.created_at)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()


async def claim(connection: AsyncConnection, launch_id: UUID) -> bool:
    """Claim a launch; return False if it already has a run or another process has claimed it."""
    claimed = await connection.execute(
        update(launches)
        .where(
            launches.c.id == launch_id,
            launches.c.run_id.is_(None),
            launches.c.claimed_until <= func.now(),
        )
        .values(claimed_until=func.now() + CLAIM_DURATION, attempts=launches.c.attempts + 1)
    )
    return claimed.rowcount == 1


async def read(connection: AsyncConnection, launch_id: UUID) -> Launch | None:
    """Return a launch with those of its companies that still wait for a run; None if no company does."""
    query = (
        select(
            launches,
            func.array_agg(scrapes.c.idno).label("idnos"),
            func.max(scrapes.c.created_at).label("since"),
        )
        .join(scrapes, (scrapes.c.launch_id == launches.c.id) & _IS_LAUNCHING)
        .where(launches.c.id == launch_id)
        .group_by(launches.c.id)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Launch(
        id=row.id,
        kind=RunKind(row.kind),
        requested_by=row.requested_by,
        attempts=row.attempts,
        error=row.error,
        origin=LaunchOrigin(row.request_id, row.traceparent),
        idnos=tuple(sorted(row.idnos)),
        since=row.since,
    )


async def find_progress(connection: AsyncConnection, scrape_id: UUID) -> LaunchProgress | None:
    """Return the progress of a scrape's current launch; None if the scrape does not exist."""
    query = (
        select(launches.c.run_id, launches.c.error)
        .join(scrapes, scrapes.c.launch_id == launches.c.id)
        .where(scrapes.c.id == scrape_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return LaunchProgress(row.run_id, row.error) if row else None


async def store_run(connection: AsyncConnection, launch_id: UUID, run_id: str) -> Sequence[UUID]:
    """Store the run of a launch and mark the scrapes of the launch as queued; return the ids of these scrapes."""
    # Scrapes are updated first: every transaction locks scrapes before launches, so no two can deadlock.
    scrape_ids = await _update_launching(connection, launch_id, {"state": ScrapeState.QUEUED})
    await connection.execute(
        update(launches)
        .where(launches.c.id == launch_id, launches.c.run_id.is_(None))
        .values(run_id=run_id, launched_at=func.now(), error=None)
    )
    return scrape_ids


async def release(
    connection: AsyncConnection, launch_id: UUID, error: str, *, delay: timedelta, is_counted: bool
) -> None:
    """Release the claim on a launch that has no run, so that a process can try again.

    Args:
        connection: A connection in a transaction.
        launch_id: The launch.
        error: Why there is no run.
        delay: Time until a process may claim the launch again.
        is_counted: Whether this attempt counts towards the limit of attempts.
    """
    attempts = {} if is_counted else {"attempts": launches.c.attempts - 1}
    await connection.execute(
        update(launches)
        .where(launches.c.id == launch_id, launches.c.run_id.is_(None))
        .values(error=error, claimed_until=func.now() + delay, **attempts)
    )


async def fail(connection: AsyncConnection, launch_id: UUID, error: str) -> Sequence[UUID]:
    """Mark the scrapes of a launch as failed because no run can be launched; return the scrapes' ids."""
    values = {"state": ScrapeState.FAILED, "error": error, "finished_at": func.now()}
    return await _update_launching(connection, launch_id, values)


async def cancel_unrequested(connection: AsyncConnection, launch_id: UUID) -> Sequence[UUID]:
    """Cancel those scrapes of a launch for which all requests are cancelled; return the ids of these scrapes."""
    values = {
        "state": ScrapeState.CANCELLED,
        "error": repository.REQUEST_CANCELLED,
        "finished_at": func.now(),
    }
    return await _update_launching(connection, launch_id, values, only_unrequested=True)


async def mark_cancelled(connection: AsyncConnection, launch_ids: Sequence[UUID]) -> None:
    """Record that the API itself terminates the runs of these launches."""
    await connection.execute(
        update(launches)
        .where(launches.c.id.in_(launch_ids), launches.c.cancelled_at.is_(None))
        .values(cancelled_at=func.now())
    )


async def delete_empty(connection: AsyncConnection, launch_id: UUID) -> None:
    """Delete a launch if it has neither a run nor a scrape."""
    await connection.execute(
        delete(launches).where(
            launches.c.id == launch_id,
            launches.c.run_id.is_(None),
            ~exists().where(scrapes.c.launch_id == launches.c.id),
        )
    )


async def _update_launching(
    connection: AsyncConnection,
    launch_id: UUID,
    values: Mapping[str, Any],
    *,
    only_unrequested: bool = False,
) -> Sequence[UUID]:
    query = select(scrapes.c.id).where(scrapes.c.launch_id == launch_id, _IS_LAUNCHING)
    if only_unrequested:
        query = query.where(~repository.IS_REQUESTED)
    ids: Sequence[UUID] = (await connection.execute(repository.for_update(query))).scalars().all()
    await connection.execute(update(scrapes).where(scrapes.c.id.in_(ids)).values(**values))
    return ids
