"""The SQL of launches: Dagster runs that are to be launched, or were, and the scrapes in them."""

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

MOST_COMPANIES = 50
"""In one launch for people; of one for a batch the settings tell (`run_companies`)."""
CLAIMED_FOR = timedelta(seconds=90)
"""Longer than a launch can take: after that whoever claimed it has died, or knows no more than anybody."""
_LONGEST_NAMES = 200
_MOST_IDS = 5

_Item = TypeVar("_Item")
_IS_WAITING = scrapes.c.state == ScrapeState.LAUNCHING


@dataclass(frozen=True)
class LaunchOrigin:
    """What a launch comes from, by which its run is found again: the requests' ids, the span."""

    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def here(cls, request_id: str | None = None) -> "LaunchOrigin":
        """The request that is being worked at, or one that is named."""
        return cls(request_id or request_ids.current(), traces.traceparent())


@dataclass(frozen=True)
class Launch:
    """One run to be launched: for which companies, as one at a time has them claimed."""

    id: UUID
    kind: RunKind
    requested_by: str
    attempts: int
    error: str | None
    origin: LaunchOrigin
    idnos: tuple[str, ...]
    since: datetime
    """Captures newer than this count: no company in it was asked for later."""


async def create(
    connection: AsyncConnection,
    scrape_ids: Sequence[UUID],
    *,
    kind: RunKind,
    requested_by: str,
    origin: LaunchOrigin,
    is_claimed: bool = False,
) -> UUID:
    """Put open scrapes into a new launch; claimed, if the caller is about to launch it."""
    launch_id = uuid4()
    until = func.now() + CLAIMED_FOR if is_claimed else func.now()
    await connection.execute(
        insert(launches).values(
            id=launch_id,
            kind=kind,
            requested_by=requested_by,
            request_id=origin.request_id,
            traceparent=origin.traceparent,
            attempts=int(is_claimed),
            claimed_until=until,
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
    """Put open scrapes into as many new launches as it takes; they come from where their last ones came from."""
    most = min(MOST_COMPANIES, run_companies) if kind is RunKind.PERSON else run_companies
    for part in in_parts(scrape_ids, most):
        names = await _requesters(connection, part)
        known = origin or await _last_origin(connection, part)
        await create(connection, part, kind=kind, requested_by=names, origin=known)


def in_parts(items: Sequence[_Item], most: int) -> list[Sequence[_Item]]:
    """Split into parts of so many at most."""
    return [items[start : start + most] for start in range(0, len(items), most)]


async def _requesters(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> str:
    """Return the names of those who want these scrapes."""
    query = (
        select(users.c.username)
        .join(scrape_requests, scrape_requests.c.user_id == users.c.id)
        .where(scrape_requests.c.scrape_id.in_(scrape_ids), scrape_requests.c.withdrawn_at.is_(None))
        .distinct()
        .order_by(users.c.username)
    )
    return _shortened((await connection.execute(query)).scalars().all())


def _shortened(names: Sequence[str]) -> str:
    """Join names, as many as are not too long together; none is cut, so that each is found again."""
    while len(joined := ", ".join(names)) > _LONGEST_NAMES:
        names = names[:-1]
    return joined


async def _last_origin(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> LaunchOrigin:
    """Return which requests the launches of these scrapes were for, some of them if there are many."""
    query = (
        select(launches.c.request_id, launches.c.traceparent)
        .join(scrapes, scrapes.c.launch_id == launches.c.id)
        .where(scrapes.c.id.in_(scrape_ids), launches.c.request_id.is_not(None))
        .distinct()
        .limit(_MOST_IDS)
    )
    rows = (await connection.execute(query)).all()
    ids = {each for row in rows for each in row.request_id.split(",")}
    traced = rows[0].traceparent if len(rows) == 1 else None
    return LaunchOrigin(",".join(sorted(ids)[:_MOST_IDS]) or None, traced)


async def list_waiting(connection: AsyncConnection, *, limit: int) -> Sequence[UUID]:
    """Return launches that nobody is launching, people's first."""
    query = (
        select(launches.c.id)
        .where(
            launches.c.run_id.is_(None),
            launches.c.claimed_until <= func.now(),
            exists().where(scrapes.c.launch_id == launches.c.id, _IS_WAITING),
        )
        .order_by(case((launches.c.kind == RunKind.PERSON, 0), else_=1), launches.c.created_at)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()


async def claim(connection: AsyncConnection, launch_id: UUID) -> bool:
    """Take a launch that nobody is launching; False if somebody else has."""
    done = await connection.execute(
        update(launches)
        .where(
            launches.c.id == launch_id,
            launches.c.run_id.is_(None),
            launches.c.claimed_until <= func.now(),
        )
        .values(claimed_until=func.now() + CLAIMED_FOR, attempts=launches.c.attempts + 1)
    )
    return done.rowcount == 1


async def read(connection: AsyncConnection, launch_id: UUID) -> Launch | None:
    """Return a launch with the companies in it that are to be launched; None if there are none."""
    query = (
        select(
            launches,
            func.array_agg(scrapes.c.idno).label("idnos"),
            func.max(scrapes.c.created_at).label("since"),
        )
        .join(scrapes, (scrapes.c.launch_id == launches.c.id) & _IS_WAITING)
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


async def find_run(connection: AsyncConnection, scrape_id: UUID) -> tuple[str | None, str | None] | None:
    """Return the run that a scrape is in, and what went wrong with launching it; None if there is no such scrape."""
    query = (
        select(launches.c.run_id, launches.c.error)
        .join(scrapes, scrapes.c.launch_id == launches.c.id)
        .where(scrapes.c.id == scrape_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return (row.run_id, row.error) if row else None


async def launched(connection: AsyncConnection, launch_id: UUID, run_id: str) -> Sequence[UUID]:
    """Write down which run a launch got; return the scrapes that now have it."""
    # Scrapes are locked before launches, here as everywhere.
    moved = await _move_waiting(connection, launch_id, {"state": ScrapeState.QUEUED})
    await connection.execute(
        update(launches)
        .where(launches.c.id == launch_id, launches.c.run_id.is_(None))
        .values(run_id=run_id, launched_at=func.now(), error=None)
    )
    return moved


async def release(
    connection: AsyncConnection, launch_id: UUID, error: str, *, wait: timedelta, is_counted: bool
) -> None:
    """Let go of a launch of which no run came, so that somebody tries it again after a while."""
    counted = {} if is_counted else {"attempts": launches.c.attempts - 1}
    await connection.execute(
        update(launches)
        .where(launches.c.id == launch_id, launches.c.run_id.is_(None))
        .values(error=error, claimed_until=func.now() + wait, **counted)
    )


async def give_up(connection: AsyncConnection, launch_id: UUID, error: str) -> Sequence[UUID]:
    """End the scrapes of a launch that cannot be launched; return them."""
    values = {"state": ScrapeState.FAILED, "error": error, "finished_at": func.now()}
    return await _move_waiting(connection, launch_id, values)


async def end_unwanted(connection: AsyncConnection, launch_id: UUID) -> Sequence[UUID]:
    """End, before it is launched, what nobody wants any more; return it."""
    values = {"state": ScrapeState.CANCELLED, "error": repository.WITHDRAWN, "finished_at": func.now()}
    return await _move_waiting(connection, launch_id, values, only_unwanted=True)


async def mark_cancelled(connection: AsyncConnection, launch_ids: Sequence[UUID]) -> None:
    """Write down that it is us who end these runs."""
    await connection.execute(
        update(launches)
        .where(launches.c.id.in_(launch_ids), launches.c.cancelled_at.is_(None))
        .values(cancelled_at=func.now())
    )


async def drop_empty(connection: AsyncConnection, launch_id: UUID) -> None:
    """Forget a launch that has no run and no scrape in it."""
    await connection.execute(
        delete(launches).where(
            launches.c.id == launch_id,
            launches.c.run_id.is_(None),
            ~exists().where(scrapes.c.launch_id == launches.c.id),
        )
    )


async def _move_waiting(
    connection: AsyncConnection, launch_id: UUID, values: Mapping[str, Any], *, only_unwanted: bool = False
) -> Sequence[UUID]:
    query = select(scrapes.c.id).where(scrapes.c.launch_id == launch_id, _IS_WAITING)
    if only_unwanted:
        query = query.where(~repository.IS_WANTED)
    ids: Sequence[UUID] = (await connection.execute(repository.locked(query))).scalars().all()
    await connection.execute(update(scrapes).where(scrapes.c.id.in_(ids)).values(**values))
    return ids
