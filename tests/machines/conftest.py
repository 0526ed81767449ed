"""Fixtures for tests that crawl without the rest of the platform."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.stores import running_valkey


@pytest.fixture
def redis(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A client of a separate Valkey server."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running
