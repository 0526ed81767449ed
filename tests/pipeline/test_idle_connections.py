"""Tests of idle connections: a query succeeds after PostgreSQL has closed its connection."""

import pytest
from sqlalchemy import create_engine, text

from pipeline.dagster_host import idle_connections
from tests.warehouse_server import Databases
from warehouse.schema import database_roles


def test_idle_connection_that_was_closed_is_replaced(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_connections, "_IDLE_SECONDS", 0.0)
    engine = create_engine(databases.url(database_roles.PIPELINE), pool_size=1, max_overflow=0)
    idle_connections.watch(engine)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    with databases.warehouse() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})

    with engine.connect() as connection:
        second = connection.scalar(text("SELECT pg_backend_pid()"))
    assert second != first
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == second
    engine.dispose()
