"""The SQL of scrapes and the requests for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, exists, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.scrape.states import OPEN_STATES, ScrapeState
from api.tables import scrape_requests, scrapes

# In words, not as parameters: PostgreSQL has to see that it is the condition of the unique index.
_IS_OPEN = scrapes.c.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])


@dataclass(frozen=True)
class Scrape:
    """One run of the pipeline for one company."""

    id: UUID
    idno: str
    run_id: str | None
    state: ScrapeState
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> "Scrape":
        """Map a row."""
        values = dict(row._mapping)
        return cls(**{**values, "state": ScrapeState(values["state"])})


async def open_or_join(connection: AsyncConnection, idno: str) -> tuple[Scrape, bool]:
    """Return the open scrape of a company, and whether it is a new one that has to be launched."""
    while True:
        opened = await connection.execute(
            upsert(scrapes)
            .values(id=uuid4(), idno=idno, state=ScrapeState.LAUNCHING)
            .on_conflict_do_nothing(index_elements=[scrapes.c.idno], index_where=_IS_OPEN)
            .returning(scrapes)
        )
        if row := opened.one_or_none():
            return Scrape.of(row), True
        # Locked, so that it cannot end between being found and being asked for.
        query = select(scrapes).where(scrapes.c.idno == idno, _IS_OPEN)
        if row := (await connection.execute(query.with_for_update(key_share=True))).one_or_none():
            return Scrape.of(row), False


async def add_request(
    connection: AsyncConnection, *, scrape_id: UUID, user_id: UUID, force_refresh: bool
) -> None:
    """Write down who asked."""
    await connection.execute(
        insert(scrape_requests).values(scrape_id=scrape_id, user_id=user_id, force_refresh=force_refresh)
    )


async def find(connection: AsyncConnection, scrape_id: UUID) -> Scrape | None:
    """Return a scrape by its id."""
    row = (await connection.execute(select(scrapes).where(scrapes.c.id == scrape_id))).one_or_none()
    return Scrape.of(row) if row else None


async def find_requested(connection: AsyncConnection, *, run_id: str, user_id: UUID | None) -> Scrape | None:
    """Return the scrape of a run, if this user asked for it; without a user, whoever did."""
    query = select(scrapes).where(scrapes.c.run_id == run_id)
    if user_id is not None:
        query = query.where(
            exists().where(scrape_requests.c.scrape_id == scrapes.c.id, scrape_requests.c.user_id == user_id)
        )
    row = (await connection.execute(query)).one_or_none()
    return Scrape.of(row) if row else None


async def launched(connection: AsyncConnection, scrape_id: UUID, run_id: str) -> bool:
    """Write down which run a scrape got; False if it was ended in the meantime."""
    done = await connection.execute(
        update(scrapes)
        .where(scrapes.c.id == scrape_id, scrapes.c.state == ScrapeState.LAUNCHING)
        .values(run_id=run_id, state=ScrapeState.QUEUED)
    )
    return done.rowcount == 1


async def drop(connection: AsyncConnection, scrape_id: UUID) -> None:
    """Forget a scrape that was never launched, with the requests for it."""
    await connection.execute(
        delete(scrapes).where(scrapes.c.id == scrape_id, scrapes.c.state == ScrapeState.LAUNCHING)
    )


async def set_open_state(connection: AsyncConnection, scrape_id: UUID, state: ScrapeState) -> None:
    """Move an open scrape on."""
    await connection.execute(update(scrapes).where(scrapes.c.id == scrape_id, _IS_OPEN).values(state=state))


async def finish(connection: AsyncConnection, scrape_id: UUID, state: ScrapeState, error: str | None) -> None:
    """End an open scrape; one that has ended stays as it is."""
    await connection.execute(
        update(scrapes)
        .where(scrapes.c.id == scrape_id, _IS_OPEN)
        .values(state=state, error=error, finished_at=func.now())
    )


async def list_open(connection: AsyncConnection) -> Sequence[Scrape]:
    """Return every open scrape, the oldest first."""
    query = select(scrapes).where(_IS_OPEN).order_by(scrapes.c.created_at)
    return [Scrape.of(row) for row in await connection.execute(query)]
