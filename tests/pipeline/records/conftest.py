"""A warehouse that these tests have for themselves, empty for each."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases, running_databases
from tests.pipeline.records.stage import Stage


@pytest.fixture(scope="package")
def own_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with running_databases(tmp_path_factory.mktemp("records")) as running:
        yield running


@pytest.fixture
def stage(own_databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An empty warehouse."""
    empty = Stage(own_databases, monkeypatch)
    empty.clear()
    return empty
