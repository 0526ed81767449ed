"""A Valkey and a lender of a running browser for tests of extraction, without the rest of the platform."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.pipeline.extract.lender_process import RunningLender, running_lender
from tests.stores import running_valkey


@pytest.fixture(scope="session")
def valkey(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A running Valkey; tests use the fixture `redis`, which empties it."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        yield redis


@pytest.fixture
def redis(valkey: Redis) -> Redis:
    """An empty Valkey."""
    valkey.flushall()
    return valkey


@pytest.fixture(scope="session")
def lender(starts_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLender]:
    """A lender with one browser.

    A crawl borrows this browser if its settings name the lender's socket. Crawls that are not about the start or the
    end of a browser do so, because to start a browser takes longer than to reset one.
    """
    with running_lender(tmp_path_factory.mktemp("lender")) as running:
        yield running
