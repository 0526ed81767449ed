"""A Valkey for the manners of extraction, without the rest of the platform."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.stores import running_valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        yield redis


@pytest.fixture
def redis(valkey: Redis) -> Redis:
    """An empty Valkey."""
    valkey.flushall()
    return valkey
