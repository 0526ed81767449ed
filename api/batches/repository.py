"""The SQL of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.batches.verdicts import Item, ItemVerdict
from api.scrape import repository as scrape_repository
from api.scrape.repository import ScrapeView
from api.users_tables import batch_items, batches, scrape_requests, scrapes


@dataclass(frozen=True)
class Batch:
    """A batch as stored."""

    id: UUID
    user_id: UUID
    body_sha256: str
    created_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> "Batch":
        """Map a row."""
        return cls(row.id, row.user_id, row.body_sha256, row.created_at, row.cancelled_at)


@dataclass(frozen=True)
class BatchScrape:
    """A scrape that a batch requested, and the verdict on the batch's item for this company."""

    verdict: ItemVerdict
    view: ScrapeView


async def add(
    connection: AsyncConnection, user_id: UUID, key: str | None, *, body_sha256: str, force_refresh: bool
) -> UUID | None:
    """Create a batch and return its id; None if the user already has a batch with this idempotency key.

    Of two concurrent transactions with the same key, the second waits for the first.

    Args:
        connection: A transaction in the users database.
        user_id: The account that requests the batch.
        key: The client's idempotency key; None if it sent none.
        body_sha256: The hash of the request's body. A later request with the same key must have the same body.
        force_refresh: Whether companies are visited although their records are fresh.
    """
    statement = (
        upsert(batches)
        .values(
            id=uuid4(),
            user_id=user_id,
            idempotency_key=key,
            body_sha256=body_sha256,
            force_refresh=force_refresh,
        )
        .on_conflict_do_nothing(index_elements=[batches.c.user_id, batches.c.idempotency_key])
        .returning(batches.c.id)
    )
    batch_id: UUID | None = (await connection.execute(statement)).scalar_one_or_none()
    return batch_id


async def add_items(
    connection: AsyncConnection, batch_id: UUID, items: Sequence[Item], scrape_ids: Mapping[str, UUID]
) -> None:
    """Store the items with their verdicts, and with the scrape of each accepted or joined item."""
    with_scrape = (ItemVerdict.ACCEPTED, ItemVerdict.JOINED)
    rows = [
        {
            "batch_id": batch_id,
            "position": item.position,
            "given": item.given,
            "idno": item.idno,
            "verdict": item.verdict,
            "reason": item.reason,
            "scrape_id": scrape_ids[str(item.idno)] if item.verdict in with_scrape else None,
        }
        for item in items
    ]
    await connection.execute(insert(batch_items), rows)


async def add_requests(
    connection: AsyncConnection,
    batch_id: UUID,
    scrape_ids: Sequence[UUID],
    *,
    user_id: UUID,
    force_refresh: bool,
) -> None:
    """Store the batch's requests for these scrapes.

    Args:
        connection: A transaction in the users database.
        batch_id: The batch.
        scrape_ids: One scrape for each company of the batch that needs a visit.
        user_id: The account that requests the batch.
        force_refresh: Whether companies are visited although their records are fresh.
    """
    shared = {"batch_id": batch_id, "user_id": user_id, "force_refresh": force_refresh}
    await connection.execute(
        insert(scrape_requests), [{"scrape_id": scrape_id, **shared} for scrape_id in scrape_ids]
    )


async def find_by_key(connection: AsyncConnection, user_id: UUID, key: str) -> Batch | None:
    """Return the user's batch with this idempotency key; None if there is none."""
    query = select(batches).where(batches.c.user_id == user_id, batches.c.idempotency_key == key)
    row = (await connection.execute(query)).one_or_none()
    return Batch.of(row) if row else None


async def find(connection: AsyncConnection, batch_id: UUID, *, user_id: UUID | None) -> Batch | None:
    """Return a batch if it belongs to this user; without a user, any batch."""
    query = select(batches).where(batches.c.id == batch_id)
    if user_id is not None:
        query = query.where(batches.c.user_id == user_id)
    row = (await connection.execute(query)).one_or_none()
    return Batch.of(row) if row else None


async def list_items(connection: AsyncConnection, batch_id: UUID) -> Sequence[Item]:
    """Return the items of a batch with their verdicts."""
    query = select(batch_items).where(batch_items.c.batch_id == batch_id).order_by(batch_items.c.position)
    return [
        Item(row.position, row.given, row.idno, ItemVerdict(row.verdict), row.reason)
        for row in await connection.execute(query)
    ]


async def list_scrapes(connection: AsyncConnection, batch_id: UUID) -> Sequence[BatchScrape]:
    """Return the scrapes that a batch requested, in the order of its items."""
    is_withdrawn = exists().where(
        scrape_requests.c.scrape_id == scrapes.c.id,
        scrape_requests.c.batch_id == batch_id,
        scrape_requests.c.withdrawn_at.is_not(None),
    )
    query = (
        scrape_repository.select_views(is_withdrawn)
        .add_columns(batch_items.c.verdict)
        .join(batch_items, batch_items.c.scrape_id == scrapes.c.id)
        .where(batch_items.c.batch_id == batch_id)
        .order_by(batch_items.c.position)
    )
    return [
        BatchScrape(ItemVerdict(row.verdict), ScrapeView.of(row)) for row in await connection.execute(query)
    ]


async def list_cached(connection: AsyncConnection, batch_id: UUID) -> Sequence[str]:
    """Return the IDNOs of the batch's companies that had a fresh record when the batch was created."""
    query = select(batch_items.c.idno).where(
        batch_items.c.batch_id == batch_id, batch_items.c.verdict == ItemVerdict.CACHED
    )
    return (await connection.execute(query.order_by(batch_items.c.position))).scalars().all()


async def cancel(connection: AsyncConnection, batch_id: UUID) -> Sequence[UUID]:
    """Cancel a batch's requests for open scrapes; return these scrapes' ids. A batch that has ended is not changed."""
    ids = await scrape_repository.cancel_requests(connection, scrape_requests.c.batch_id == batch_id)
    if ids:
        await connection.execute(
            update(batches).where(batches.c.id == batch_id).values(cancelled_at=func.now())
        )
    return ids
