"""Fixtures of the API's tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from api.migrations import SCRIPTS
from tests.api.api_harness import ApiHarness, open_harness
from tests.stores import running_valkey
from tests.warehouse_server import Databases
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the API does."""
    return "asyncio"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey without other services."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        options = redis.connection_pool.connection_kwargs
        yield f"redis://:{options['password']}@{options['host']}:{options['port']}"


@pytest.fixture
async def observer(redis_url: str) -> AsyncIterator[Redis]:
    """A connection to Valkey that the API does not use."""
    async with Redis.from_url(f"{redis_url}/0", decode_responses=True) as redis:
        yield redis


@pytest.fixture(scope="session")
def users_database(databases: Databases) -> Databases:
    """PostgreSQL without other services, with an empty database `users`."""
    migrate(scripts=SCRIPTS, url=databases.url(database_roles.USERS_OWNER, database_roles.USERS_DATABASE))
    return databases


@pytest.fixture
async def harness(users_database: Databases, redis_url: str) -> AsyncIterator[ApiHarness]:
    """The API's services, with real stores and a fake Dagster."""
    async with open_harness(users_database, redis_url) as harness:
        yield harness
