"""The SQL of scrapes and of the requests for them.

A transaction that changes several scrapes locks them first, in the order of their IDNOs (`for_update`), so that two
transactions cannot deadlock.
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

REQUEST_CANCELLED = "the request was cancelled"

# Literals instead of parameters: PostgreSQL must recognize the condition of the partial unique index.
IS_OPEN = scrapes.c.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])
IS_REQUESTED = exists().where(
    scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.withdrawn_at.is_(None)
)


def _has_active_request(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a scrape has an active request for which all `conditions` are true.

    This is a scalar subquery, which PostgreSQL evaluates for each scrape. With EXISTS, as in IS_REQUESTED, PostgreSQL
    may read all requests into a hash table instead.
    """
    request: Select[Any] = select(literal_column("true")).where(
        scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.withdrawn_at.is_(None), *conditions
    )
    return func.coalesce(request.limit(1).correlate(scrapes).scalar_subquery(), false())


@dataclass(frozen=True)
class OpenScrape:
    """A scrape that has not ended, with its current launch."""

    id: UUID
    idno: str
    state: ScrapeState
    lost_runs: int
    deferred_until: datetime | None
    launch_id: UUID
    run_id: str | None
    request_id: str | None
    is_bulk: bool
    """The launch does bulk work."""
    is_cancelled: bool
    """The API itself terminates the launch's run."""
    is_requested: bool
    """At least one request for the scrape is not cancelled."""
    is_for_person: bool
    """At least one of the requests that are not cancelled is a single request."""

    @classmethod
    def of(cls, row: RowMapping) -> "OpenScrape":
        """Map a row."""
        return cls(**{**row, "state": ScrapeState(row["state"])})


@dataclass(frozen=True)
class ScrapeView:
    """A scrape as one user sees it."""

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
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state not in OPEN_STATES

    @classmethod
    def of(cls, row: Row[Any]) -> "ScrapeView":
        """Map a row. A user who cancelled sees `cancelled`; `launching` is shown as `queued`."""
        values = {field.name: row._mapping[field.name] for field in fields(cls)}
        state = ScrapeState(row.state)
        if row.is_withdrawn:
            state = ScrapeState.CANCELLED
            values |= {
                "error": REQUEST_CANCELLED,
                "outcome": None,
                "attempts": None,
                "deferred_until": None,
            }
        elif state is ScrapeState.LAUNCHING:
            state = ScrapeState.QUEUED
        outcome = Outcome(values["outcome"]) if values["outcome"] else None
        return cls(**{**values, "state": state, "outcome": outcome})


def for_update(query: Select[Any]) -> Select[Any]:
    """Extend a query of scrapes so that it also locks their rows, always in the order of their IDNOs."""
    return query.order_by(scrapes.c.idno).with_for_update(of=scrapes, key_share=True)


async def open_or_join(connection: AsyncConnection, idnos: Iterable[str]) -> tuple[dict[str, UUID], set[str]]:
    """Find or create the open scrape of each company.

    Returns the scrape ids by IDNO, and the IDNOs whose scrape is new and has to be launched. The scrapes are locked, so
    that none ends before the caller has added the requests.
    """
    missing, scrape_ids, new = sorted(set(idnos)), dict[str, UUID](), set[str]()
    while missing:
        inserted = await connection.execute(
            upsert(scrapes)
            .values([{"id": uuid4(), "idno": idno, "state": ScrapeState.LAUNCHING} for idno in missing])
            .on_conflict_do_nothing(index_elements=[scrapes.c.idno], index_where=IS_OPEN)
            .returning(scrapes.c.idno, scrapes.c.id)
        )
        created = {row.idno: row.id for row in inserted}
        existing = for_update(
            select(scrapes.c.idno, scrapes.c.id).where(
                scrapes.c.idno.in_([idno for idno in missing if idno not in created]), IS_OPEN
            )
        )
        scrape_ids |= created | {row.idno: row.id for row in await connection.execute(existing)}
        new |= created.keys()
        # If a scrape ended between the two statements, neither finds it: try again for its company.
        missing = [idno for idno in missing if idno not in scrape_ids]
    return scrape_ids, new


async def add_request(
    connection: AsyncConnection, *, scrape_id: UUID, user_id: UUID, force_refresh: bool
) -> int:
    """Store a user's single request for a scrape and return its id."""
    added = insert(scrape_requests).values(scrape_id=scrape_id, user_id=user_id, force_refresh=force_refresh)
    return int((await connection.execute(added.returning(scrape_requests.c.id))).scalar_one())


async def list_open(connection: AsyncConnection, scrape_id: UUID | None = None) -> Sequence[OpenScrape]:
    """Return all open scrapes that have a launch, oldest first; with `scrape_id`, only that one."""
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
            _has_active_request().label("is_requested"),
            _has_active_request(scrape_requests.c.batch_id.is_(None)).label("is_for_person"),
        )
        .join(launches, launches.c.id == scrapes.c.launch_id)
        .where(IS_OPEN)
        .order_by(scrapes.c.created_at, scrapes.c.idno)
    )
    if scrape_id is not None:
        query = query.where(scrapes.c.id == scrape_id)
    return [OpenScrape.of(row) for row in (await connection.execute(query)).mappings()]


def select_views(is_withdrawn: ColumnElement[bool]) -> Select[Any]:
    """Return the query for `ScrapeView`; `is_withdrawn` is the SQL condition that the user has cancelled."""
    columns = ("idno", "state", "outcome", "attempts", "error", "deferred_until", "finished_at")
    return select(
        scrapes.c.id.label("scrape_id"),
        *(scrapes.c[name] for name in columns),
        launches.c.run_id,
        is_withdrawn.label("is_withdrawn"),
    ).outerjoin_from(scrapes, launches, launches.c.id == scrapes.c.launch_id)


async def load_view(connection: AsyncConnection, scrape_id: UUID) -> ScrapeView:
    """Return a scrape as a user who has not cancelled sees it."""
    query = select_views(false()).where(scrapes.c.id == scrape_id)
    return ScrapeView.of((await connection.execute(query)).one())


async def list_views_of_run(
    connection: AsyncConnection, *, run_id: str, user_id: UUID | None
) -> Sequence[ScrapeView]:
    """Return the scrapes that were ever part of a run; with `user_id`, only those that this user requested."""
    run_launch = launches.alias("run_launch")
    users_request = [scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.user_id == user_id]
    is_withdrawn = false() if user_id is None else ~_has_uncancelled(users_request)
    query = (
        select_views(is_withdrawn)
        .join(launch_scrapes, launch_scrapes.c.scrape_id == scrapes.c.id)
        .join(run_launch, run_launch.c.id == launch_scrapes.c.launch_id)
        .where(run_launch.c.run_id == run_id)
        .order_by(scrapes.c.idno)
    )
    if user_id is not None:
        query = query.where(exists().where(*users_request))
    return [ScrapeView.of(row) for row in await connection.execute(query)]


def _has_uncancelled(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return exists().where(*conditions, scrape_requests.c.withdrawn_at.is_(None))


async def cancel_requests(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> Sequence[UUID]:
    """Cancel the requests that match all conditions and whose scrape is open; return the ids of these scrapes."""
    active = (*conditions, scrape_requests.c.withdrawn_at.is_(None))
    open_scrapes = for_update(
        select(scrapes.c.id).where(
            IS_OPEN, exists().where(scrape_requests.c.scrape_id == scrapes.c.id, *active)
        )
    )
    ids: Sequence[UUID] = (await connection.execute(open_scrapes)).scalars().all()
    await connection.execute(
        update(scrape_requests)
        .where(scrape_requests.c.scrape_id.in_(ids), *active)
        .values(withdrawn_at=func.now())
    )
    return ids


async def cancel_requests_for_run(
    connection: AsyncConnection, *, run_id: str, user_id: UUID
) -> Sequence[UUID] | None:
    """Cancel a user's single requests for the companies of a run.

    Returns the ids of the open scrapes that these requests are for, or None if the user has no single request for the
    run.
    """
    in_run = (
        select(launch_scrapes.c.scrape_id)
        .join(launches, launches.c.id == launch_scrapes.c.launch_id)
        .where(launches.c.run_id == run_id)
    )
    users_requests = (
        scrape_requests.c.user_id == user_id,
        scrape_requests.c.batch_id.is_(None),
        scrape_requests.c.scrape_id.in_(in_run),
    )
    if not await connection.scalar(select(exists().where(*users_requests))):
        return None
    return await cancel_requests(connection, *users_requests)


async def lock_open(connection: AsyncConnection, scrape_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Lock the scrapes that are still open; return the id of the current launch of each, by scrape id."""
    query = for_update(select(scrapes.c.id, scrapes.c.launch_id).where(scrapes.c.id.in_(scrape_ids), IS_OPEN))
    return {row.id: row.launch_id for row in await connection.execute(query)}


async def update_states(connection: AsyncConnection, values: Sequence[Mapping[str, Any]]) -> None:
    """Update locked scrapes.

    Each mapping contains `scrape_id`, `has_ended` (which decides on `finished_at`) and the columns to change.
    """
    await connection.execute(
        update(scrapes)
        .where(scrapes.c.id == bindparam("scrape_id"))
        .values(finished_at=case((bindparam("has_ended"), func.now()), else_=None)),
        values,
    )


async def return_to_launch(connection: AsyncConnection, scrape_id: UUID, *, new: UUID, old: UUID) -> None:
    """Move a scrape from its `new` launch, which failed, back to the `old` launch that it was taken from."""
    has_run = exists().where(launches.c.id == old, launches.c.run_id.is_not(None))
    await connection.execute(
        update(scrapes)
        .where(
            scrapes.c.id == scrape_id, scrapes.c.launch_id == new, scrapes.c.state == ScrapeState.LAUNCHING
        )
        .values(launch_id=old, state=case((has_run, ScrapeState.QUEUED), else_=ScrapeState.LAUNCHING))
    )


async def delete_request(connection: AsyncConnection, request_id: int, scrape_id: UUID) -> None:
    """Delete a request. Delete its scrape too if the scrape never had a run and no other request needs it."""
    # The lock serializes concurrent deletions: otherwise each would see the other's request and keep the scrape.
    await connection.execute(for_update(select(scrapes.c.id).where(scrapes.c.id == scrape_id)))
    await connection.execute(delete(scrape_requests).where(scrape_requests.c.id == request_id))
    had_run = exists().where(
        launch_scrapes.c.scrape_id == scrapes.c.id,
        launches.c.id == launch_scrapes.c.launch_id,
        launches.c.run_id.is_not(None),
    )
    has_request = exists().where(scrape_requests.c.scrape_id == scrapes.c.id)
    await connection.execute(
        delete(scrapes).where(
            scrapes.c.id == scrape_id, scrapes.c.state == ScrapeState.LAUNCHING, ~has_request, ~had_run
        )
    )
