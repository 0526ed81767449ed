"""A warehouse for the tests of this package, empty at the start of each."""

from collections.abc import Iterator

import pytest

from tests.pipeline.records.records_harness import RecordsHarness
from tests.warehouse_server import Databases, running_databases


@pytest.fixture(scope="package")
def own_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with running_databases(tmp_path_factory.mktemp("records")) as running:
        yield running


@pytest.fixture
def harness(own_databases: Databases, monkeypatch: pytest.MonkeyPatch) -> RecordsHarness:
    """An empty warehouse."""
    empty = RecordsHarness(own_databases, monkeypatch)
    empty.clear()
    return empty
