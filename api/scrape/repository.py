"""The SQL of scrapes and the requests for them.

Whoever changes several scrapes locks them first, in the order of their IDNOs (`locked`), so that no two wait for each
other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    Select,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.scrape.states import OPEN_STATES, ScrapeState
from api.users_tables import launch_scrapes, launches, scrape_requests, scrapes
from warehouse.contract import Outcome, RunKind

WITHDRAWN = "the request was withdrawn"

# In words, not as parameters: PostgreSQL has to see that it is the condition of the unique index.
IS_OPEN = scrapes.c.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])
IS_WANTED = exists().where(
    scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.withdrawn_at.is_(None)
)


def _is_asked_for(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same in a form that PostgreSQL looks up scrape by scrape: of EXISTS it may make a list of all requests."""
    request: Select[Any] = select(literal_column("true")).where(
        scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.withdrawn_at.is_(None), *conditions
    )
    return func.coalesce(request.limit(1).correlate(scrapes).scalar_subquery(), false())


@dataclass(frozen=True)
class OpenScrape:
    """A company's fetch that is not over, with the launch that it is in."""

    id: UUID
    idno: str
    state: ScrapeState
    lost_runs: int
    deferred_until: datetime | None
    launch_id: UUID
    run_id: str | None
    request_id: str | None
    is_bulk: bool
    is_cancelled: bool
    """It is us who end its run."""
    is_wanted: bool
    is_for_person: bool

    @classmethod
    def of(cls, row: RowMapping) -> "OpenScrape":
        """Map a row."""
        return cls(**{**row, "state": ScrapeState(row["state"])})


@dataclass(frozen=True)
class RequestedScrape:
    """Where a company stands that somebody asked for, as they see it."""

    scrape_id: UUID
    idno: str
    state: ScrapeState
    outcome: Outcome | None
    attempts: int | None
    error: str | None
    deferred_until: datetime | None
    finished_at: datetime | None
    run_id: str | None

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self.state not in OPEN_STATES

    @classmethod
    def of(cls, row: Row[Any]) -> "RequestedScrape":
        """Map a row. For who has withdrawn it is over; `launching` is nobody's business."""
        values = {field.name: row._mapping[field.name] for field in fields(cls)}
        state = ScrapeState(row.state)
        if row.is_withdrawn:
            state = ScrapeState.CANCELLED
            values |= {"error": WITHDRAWN, "outcome": None, "attempts": None, "deferred_until": None}
        elif state is ScrapeState.LAUNCHING:
            state = ScrapeState.QUEUED
        outcome = Outcome(values["outcome"]) if values["outcome"] else None
        return cls(**{**values, "state": state, "outcome": outcome})


def locked(query: Select[Any]) -> Select[Any]:
    """Have a query of scrapes lock what it finds, always in the same order."""
    return query.order_by(scrapes.c.idno).with_for_update(of=scrapes, key_share=True)


async def open_or_join(connection: AsyncConnection, idnos: Iterable[str]) -> tuple[dict[str, UUID], set[str]]:
    """Return the open scrape of each company, and for which companies it is new and has to be launched.

    They are locked, so that none ends between being found and being asked for.
    """
    missing, found, new = sorted(set(idnos)), dict[str, UUID](), set[str]()
    while missing:
        opened = await connection.execute(
            upsert(scrapes)
            .values([{"id": uuid4(), "idno": idno, "state": ScrapeState.LAUNCHING} for idno in missing])
            .on_conflict_do_nothing(index_elements=[scrapes.c.idno], index_where=IS_OPEN)
            .returning(scrapes.c.idno, scrapes.c.id)
        )
        added = {row.idno: row.id for row in opened}
        joined = locked(
            select(scrapes.c.idno, scrapes.c.id).where(
                scrapes.c.idno.in_([idno for idno in missing if idno not in added]), IS_OPEN
            )
        )
        found |= added | {row.idno: row.id for row in await connection.execute(joined)}
        new |= added.keys()
        # One that ended in between is neither.
        missing = [idno for idno in missing if idno not in found]
    return found, new


async def add_request(
    connection: AsyncConnection, *, scrape_id: UUID, user_id: UUID, force_refresh: bool
) -> int:
    """Write down who asked; return the request's id."""
    added = insert(scrape_requests).values(scrape_id=scrape_id, user_id=user_id, force_refresh=force_refresh)
    return int((await connection.execute(added.returning(scrape_requests.c.id))).scalar_one())


async def list_open(connection: AsyncConnection, scrape_id: UUID | None = None) -> Sequence[OpenScrape]:
    """Return every open scrape that is in a launch, the oldest first; or only this one."""
    query = (
        select(
            *(
                scrapes.c[name]
                for name in ("id", "idno", "state", "lost_runs", "deferred_until", "launch_id")
            ),
            launches.c.run_id,
            launches.c.request_id,
            (launches.c.kind == RunKind.BULK).label("is_bulk"),
            launches.c.cancelled_at.is_not(None).label("is_cancelled"),
            _is_asked_for().label("is_wanted"),
            _is_asked_for(scrape_requests.c.batch_id.is_(None)).label("is_for_person"),
        )
        .join(launches, launches.c.id == scrapes.c.launch_id)
        .where(IS_OPEN)
        .order_by(scrapes.c.created_at, scrapes.c.idno)
    )
    if scrape_id is not None:
        query = query.where(scrapes.c.id == scrape_id)
    return [OpenScrape.of(row) for row in (await connection.execute(query)).mappings()]


def asked(is_withdrawn: ColumnElement[bool]) -> Select[Any]:
    """Return the query of `Asked`, with what says whether the asker has withdrawn."""
    columns = ("idno", "state", "outcome", "attempts", "error", "deferred_until", "finished_at")
    return select(
        scrapes.c.id.label("scrape_id"),
        *(scrapes.c[name] for name in columns),
        launches.c.run_id,
        is_withdrawn.label("is_withdrawn"),
    ).outerjoin_from(scrapes, launches, launches.c.id == scrapes.c.launch_id)


async def find(connection: AsyncConnection, scrape_id: UUID) -> RequestedScrape:
    """Return where a scrape stands."""
    query = asked(false()).where(scrapes.c.id == scrape_id)
    return RequestedScrape.of((await connection.execute(query)).one())


async def list_asked(
    connection: AsyncConnection, *, run_id: str, user_id: UUID | None
) -> Sequence[RequestedScrape]:
    """Return what this user asked for of the companies that a run was ever for; without a user, all."""
    ran = launches.alias("ran")
    mine = [scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.user_id == user_id]
    is_withdrawn = false() if user_id is None else ~_still_wanted(mine)
    query = (
        asked(is_withdrawn)
        .join(launch_scrapes, launch_scrapes.c.scrape_id == scrapes.c.id)
        .join(ran, ran.c.id == launch_scrapes.c.launch_id)
        .where(ran.c.run_id == run_id)
        .order_by(scrapes.c.idno)
    )
    if user_id is not None:
        query = query.where(exists().where(*mine))
    return [RequestedScrape.of(row) for row in await connection.execute(query)]


def _still_wanted(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return exists().where(*conditions, scrape_requests.c.withdrawn_at.is_(None))


async def withdraw(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> Sequence[UUID]:
    """Withdraw these requests as far as they are not answered yet; return the scrapes that they were for."""
    wanted = (*conditions, scrape_requests.c.withdrawn_at.is_(None))
    unanswered = locked(
        select(scrapes.c.id).where(
            IS_OPEN, exists().where(scrape_requests.c.scrape_id == scrapes.c.id, *wanted)
        )
    )
    ids: Sequence[UUID] = (await connection.execute(unanswered)).scalars().all()
    await connection.execute(
        update(scrape_requests)
        .where(scrape_requests.c.scrape_id.in_(ids), *wanted)
        .values(withdrawn_at=func.now())
    )
    return ids


async def withdraw_from_run(
    connection: AsyncConnection, *, run_id: str, user_id: UUID
) -> Sequence[UUID] | None:
    """Withdraw a user's single requests for companies of a run; return their scrapes, None if there are none."""
    of_run = (
        select(launch_scrapes.c.scrape_id)
        .join(launches, launches.c.id == launch_scrapes.c.launch_id)
        .where(launches.c.run_id == run_id)
    )
    mine = (
        scrape_requests.c.user_id == user_id,
        scrape_requests.c.batch_id.is_(None),
        scrape_requests.c.scrape_id.in_(of_run),
    )
    if not await connection.scalar(select(exists().where(*mine))):
        return None
    return await withdraw(connection, *mine)


async def lock(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Lock these scrapes as far as they are open; return which launch each is in."""
    query = locked(select(scrapes.c.id, scrapes.c.launch_id).where(scrapes.c.id.in_(scrape_ids), IS_OPEN))
    return {row.id: row.launch_id for row in await connection.execute(query)}


async def move(connection: AsyncConnection, values: Sequence[Mapping[str, Any]]) -> None:
    """Write new values onto locked scrapes, each named by `scrape_id`; `is_over` if it ends with that."""
    await connection.execute(
        update(scrapes)
        .where(scrapes.c.id == bindparam("scrape_id"))
        .values(finished_at=case((bindparam("is_over"), func.now()), else_=None)),
        values,
    )


async def put_back(connection: AsyncConnection, scrape_id: UUID, *, new: UUID, old: UUID) -> None:
    """Put a scrape whose own launch came to nothing back into the one that it was taken from."""
    has_run = exists().where(launches.c.id == old, launches.c.run_id.is_not(None))
    await connection.execute(
        update(scrapes)
        .where(
            scrapes.c.id == scrape_id, scrapes.c.launch_id == new, scrapes.c.state == ScrapeState.LAUNCHING
        )
        .values(launch_id=old, state=case((has_run, ScrapeState.QUEUED), else_=ScrapeState.LAUNCHING))
    )


async def drop_request(connection: AsyncConnection, request_id: int, scrape_id: UUID) -> None:
    """Forget a request, and its scrape if that never had a run and nobody else has asked for it."""
    # One after the other: of two that go at once, each would see the other's request, and leave the scrape behind.
    await connection.execute(locked(select(scrapes.c.id).where(scrapes.c.id == scrape_id)))
    await connection.execute(delete(scrape_requests).where(scrape_requests.c.id == request_id))
    had_run = exists().where(
        launch_scrapes.c.scrape_id == scrapes.c.id,
        launches.c.id == launch_scrapes.c.launch_id,
        launches.c.run_id.is_not(None),
    )
    is_asked_for = exists().where(scrape_requests.c.scrape_id == scrapes.c.id)
    await connection.execute(
        delete(scrapes).where(
            scrapes.c.id == scrape_id, scrapes.c.state == ScrapeState.LAUNCHING, ~is_asked_for, ~had_run
        )
    )
