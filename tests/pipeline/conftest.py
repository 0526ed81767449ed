"""Fixtures for runs in the process of the tests: PostgreSQL and Valkey, without the rest of the platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from redis import Redis
from sqlalchemy import text

from pipeline.settings import current_settings
from standin import running_site
from tests.pipeline.dagster_in_process import InProcessDagster
from tests.stores import running_valkey
from tests.warehouse_server import Databases
from warehouse.schema import database_roles


@pytest.fixture(scope="module")
def databases(databases: Databases) -> Iterator[Databases]:
    """An empty warehouse for the tests of one module."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def valkey(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as redis:
        yield redis


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """A Dagster instance in memory."""
    with DagsterInstance.ephemeral(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def in_process(
    databases: Databases,
    valkey: Redis,
    instance: DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[InProcessDagster]:
    """Dagster in this process, with empty stores and its own stand-in site."""
    valkey.flushall()
    with databases.warehouse(database_roles.WAREHOUSE_OWNER) as owner:
        owner.execute(text("DELETE FROM tracked_companies"))
    arguments = valkey.connection_pool.connection_kwargs
    redis_url = f"redis://:{arguments['password']}@{arguments['host']}:{arguments['port']}"
    with running_site() as site:
        for name, value in {
            "WAREHOUSE_URL": databases.url(database_roles.PIPELINE),
            "REDIS_STATE_URL": f"{redis_url}/0",
            "REDIS_CACHE_URL": f"{redis_url}/1",
            "SITE_URL": site.url,
            "SITE_RATE": "0",
            "API_URL": site.api_url,
            "RETRY_SECONDS": "0.01",
            "LONGEST_WAIT_SECONDS": "1",
            "WEBDRIVER_URL": "http://127.0.0.1:9",  # no run in these tests visits a page
            "WORK_DIR": str(tmp_path),
        }.items():
            monkeypatch.setenv(f"REGISTRU_{name}", value)
        current_settings.cache_clear()
        yield InProcessDagster(databases, valkey, site, instance, monkeypatch)
    current_settings.cache_clear()
