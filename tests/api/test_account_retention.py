"""Tests of retention in the API's own database: old rows are removed, open and recent ones stay."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from api.account_retention import remove_expired
from api.settings import AccountRetentionSettings
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.schema import database_roles

SETTINGS = AccountRetentionSettings(keep_sessions_days=90, keep_requests_days=365, keep_audit_days=400)
pytestmark = pytest.mark.anyio


@pytest.fixture
async def engine(users_database: Databases) -> AsyncIterator[AsyncEngine]:
    owner = create_engine(
        users_database.url(database_roles.USERS_OWNER, database_roles.USERS_DATABASE), poolclass=NullPool
    )
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM batches"))
        connection.execute(text("DELETE FROM scrapes"))
        connection.execute(text("DELETE FROM launches"))
        connection.execute(text("DELETE FROM users"))
        connection.execute(text("SET LOCAL registru.allows = 'DELETE audit_log'"))
        connection.execute(text("DELETE FROM audit_log"))
    url = make_url(users_database.url(database_roles.API, database_roles.USERS_DATABASE)).set(
        drivername="postgresql+asyncpg"
    )
    made = create_async_engine(url, poolclass=NullPool)
    yield made
    await made.dispose()


async def write(engine: AsyncEngine, statement: str, **values: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def ids(engine: AsyncEngine, table: str) -> set[UUID]:
    async with engine.connect() as connection:
        return set(await connection.scalars(text(f"SELECT id FROM {table}")))


async def a_user(engine: AsyncEngine) -> UUID:
    user_id = uuid4()
    await write(
        engine,
        "INSERT INTO users (id, username, password_hash) VALUES (:id, :name, '-')",
        id=user_id,
        name=f"user-{user_id.hex}",
    )
    return user_id


async def a_scrape(engine: AsyncEngine, user_id: UUID, number: int, *, ended_days_ago: int | None) -> UUID:
    scrape_id = uuid4()
    await write(
        engine,
        "INSERT INTO launches (id, kind, requested_by, created_at) VALUES"
        " (:id, 'person', 'ana', now() - interval '500 days')",
        id=scrape_id,
    )
    await write(
        engine,
        "INSERT INTO scrapes (id, idno, launch_id, state, created_at, finished_at) VALUES (:id, :idno, :id, :state,"
        " now() - interval '500 days', now() - CAST(:days AS integer) * interval '1 day')",
        id=scrape_id,
        idno=make_idno(number),
        state="queued" if ended_days_ago is None else "succeeded",
        days=ended_days_ago,
    )
    await write(engine, "INSERT INTO launch_scrapes VALUES (:id, :id)", id=scrape_id)
    await write(
        engine,
        "INSERT INTO scrape_requests (scrape_id, user_id, force_refresh) VALUES (:id, :user, false)",
        id=scrape_id,
        user=user_id,
    )
    return scrape_id


async def a_batch(engine: AsyncEngine, user_id: UUID, *scrape_ids: UUID) -> UUID:
    batch_id = uuid4()
    await write(
        engine,
        "INSERT INTO batches (id, user_id, body_sha256, force_refresh, created_at)"
        " VALUES (:id, :user, '-', false, now() - interval '500 days')",
        id=batch_id,
        user=user_id,
    )
    for position, scrape_id in enumerate(scrape_ids):
        await write(
            engine,
            "INSERT INTO batch_items (batch_id, position, given, verdict, scrape_id)"
            " VALUES (:batch, :position, '-', 'accepted', :scrape)",
            batch=batch_id,
            position=position,
            scrape=scrape_id,
        )
    return batch_id


async def test_old_requests_are_removed_unless_a_recent_batch_needs_them(engine: AsyncEngine) -> None:
    user_id = await a_user(engine)
    alone = await a_scrape(engine, user_id, 1, ended_days_ago=400)
    young = await a_scrape(engine, user_id, 2, ended_days_ago=300)
    is_open = await a_scrape(engine, user_id, 3, ended_days_ago=None)
    in_old = await a_scrape(engine, user_id, 4, ended_days_ago=400)
    in_mixed = await a_scrape(engine, user_id, 5, ended_days_ago=400)
    old = await a_batch(engine, user_id, in_old)
    mixed = await a_batch(engine, user_id, in_mixed, is_open)

    would_go = await remove_expired(engine, SETTINGS, dry_run=True)
    assert await ids(engine, "scrapes") == {alone, young, is_open, in_old, in_mixed}
    gone = await remove_expired(engine, SETTINGS)

    assert gone == would_go
    assert (gone["batches"], gone["requests"], gone["launches"]) == (1, 2, 2)
    assert await ids(engine, "scrapes") == await ids(engine, "launches") == {young, is_open, in_mixed}
    assert await ids(engine, "batches") == {mixed} != {old}
    assert len(await ids(engine, "scrape_requests")) == 3


async def test_sessions_are_removed_some_time_after_they_ended_or_expired(engine: AsyncEngine) -> None:
    user_id = await a_user(engine)
    kept = set()
    for expired, ended, stays in (
        (100, None, False),
        (80, 100, False),
        (-9, 100, False),
        (80, None, True),
        (-9, 5, True),
    ):
        session_id = uuid4()
        await write(
            engine,
            "INSERT INTO sessions (id, user_id, kind, expires_at, ended_at) VALUES (:id, :user, 'api',"
            " now() - CAST(:expired AS integer) * interval '1 day',"
            " now() - CAST(:ended AS integer) * interval '1 day')",
            id=session_id,
            user=user_id,
            expired=expired,
            ended=ended,
        )
        kept |= {session_id} if stays else set()
    assert (await remove_expired(engine, SETTINGS))["sessions"] == 3
    assert await ids(engine, "sessions") == kept


async def test_audit_log_is_kept_forever_unless_configured_otherwise(engine: AsyncEngine) -> None:
    for days in (500, 300):
        await write(
            engine,
            "INSERT INTO audit_log (event, at) VALUES ('signed_in', now() - :days * interval '1 day')",
            days=days,
        )
    assert "audit_log" not in await remove_expired(engine, AccountRetentionSettings())
    assert (await remove_expired(engine, SETTINGS))["audit_log"] == 1
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT event, detail FROM audit_log ORDER BY id"))).all()
    # The removal itself is recorded, and that entry is never removed.
    assert [row.event for row in rows] == ["signed_in", "log_pruned"]
    assert "1 entries from before" in rows[1].detail


async def test_api_cannot_remove_recent_audit_log_entries(engine: AsyncEngine) -> None:
    with pytest.raises(ValidationError, match="keep_audit_days"):
        AccountRetentionSettings(keep_audit_days=30)
    for statement, said in (
        ("SELECT prune_audit_log(now() - interval '30 days')", "last 90 days are kept"),
        ("DELETE FROM audit_log", "permission denied"),
        ("SELECT erase_person(gen_random_uuid(), 'x', 'x', 'x')", "permission denied"),
    ):
        with pytest.raises(DBAPIError, match=said):
            await write(engine, statement)
