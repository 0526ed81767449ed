"""Tests of the schema check at the API's start."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.main import create_app
from api.runtime.schema_check import check_schemas
from tests.api.api_harness import ApiHarness
from warehouse.schema import database_roles
from warehouse.schema.revision_check import SchemaMismatch

pytestmark = pytest.mark.anyio
OWNERS = {
    database_roles.USERS_DATABASE: database_roles.USERS_OWNER,
    database_roles.WAREHOUSE_DATABASE: database_roles.WAREHOUSE_OWNER,
}


@contextmanager
def at_revision(harness: ApiHarness, database: str, revision: str) -> Iterator[None]:
    """Set a database's recorded revision, for as long as the block runs."""
    engine = create_engine(harness.databases.url(OWNERS[database], database), poolclass=NullPool)
    move = text("UPDATE alembic_version SET version_num = :revision")
    with engine.begin() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(move, {"revision": revision})
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(move, {"revision": before})


@pytest.mark.parametrize("database", OWNERS)
async def test_api_refuses_to_start_with_an_older_schema(
    harness: ApiHarness, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(harness.services.settings)
    with at_revision(harness, database, "0001"), pytest.raises(SchemaMismatch, match="registru migrate"):
        async with app.router.lifespan_context(app):
            pass
    assert f"the database {database} is at revision 0001" in caplog.text


@pytest.mark.parametrize("database", OWNERS)
async def test_api_accepts_a_newer_schema_with_a_warning(
    harness: ApiHarness, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with at_revision(harness, database, "9999"), caplog.at_level(logging.WARNING):
        await check_schemas(users=harness.services.users, warehouse=harness.services.warehouse)
    assert f"the database {database} is at revision 9999, newer than this version knows" in caplog.text


async def test_api_starts_if_a_database_does_not_answer(
    harness: ApiHarness, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = create_async_engine("postgresql+asyncpg://api@127.0.0.1:1/users")
    await check_schemas(users=nowhere, warehouse=harness.services.warehouse)
    assert "the schema of the database users could not be checked" in caplog.text
