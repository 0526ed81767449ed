"""Fixtures of the API's tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from tests.api.api_harness import ApiHarness, open_harness
from tests.api.served_api import ServedApi, serving_api
from tests.platform_user import PlatformUser
from tests.stores import running_valkey
from tests.warehouse_server import Databases


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the API does."""
    return "asyncio"


@pytest.fixture(scope="session")
def redis_url(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey without other services."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        options = redis.connection_pool.connection_kwargs
        yield f"redis://:{options['password']}@{options['host']}:{options['port']}"


@pytest.fixture
async def observer(redis_url: str) -> AsyncIterator[Redis]:
    """A connection to Valkey that the API does not use."""
    async with Redis.from_url(f"{redis_url}/0", decode_responses=True) as redis:
        yield redis


@pytest.fixture(scope="module")
def users_database(databases: Databases) -> Iterator[Databases]:
    """An empty warehouse and an empty database `users`, without other services."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
async def harness(users_database: Databases, redis_url: str) -> AsyncIterator[ApiHarness]:
    """The API's services, with real stores and a fake Dagster."""
    async with open_harness(users_database, redis_url) as harness:
        yield harness


@pytest.fixture(scope="module")
def served(users_database: Databases, redis_url: str) -> Iterator[ServedApi]:
    """The API over HTTP, with real stores and a fake Dagster.

    A module uses either this or `harness`, which empties the stores before each test.
    """
    with serving_api(users_database, redis_url) as served:
        yield served


@pytest.fixture
def user(served: ServedApi) -> Iterator[PlatformUser]:
    """A new user, signed in to the served API. Tests of the whole platform are in tests/end_to_end."""
    with served.signed_in() as signed_in:
        yield signed_in
