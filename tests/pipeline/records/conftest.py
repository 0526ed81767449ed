"""A warehouse for the tests of this package, empty at the start of each."""

import pytest

from tests.pipeline.records.records_harness import RecordsHarness
from tests.warehouse_server import Databases


@pytest.fixture
def harness(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> RecordsHarness:
    """An empty warehouse."""
    empty = RecordsHarness(databases, monkeypatch)
    empty.clear()
    return empty
