"""A Valkey for tests of extraction, without the rest of the platform."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.stores import running_valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A running Valkey; tests use the fixture `redis`, which empties it."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        yield redis


@pytest.fixture
def redis(valkey: Redis) -> Redis:
    """An empty Valkey."""
    valkey.flushall()
    return valkey
