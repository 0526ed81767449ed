"""Tests of migrations: an older database is upgraded without losing data."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from api.migrations import SCRIPTS
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate

STATES = ("launching", "queued", "running", "succeeded", "not_found", "blocked", "failed", "cancelled")


def rows(connection: Connection, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(statement)).mappings()]


def add_scrape(connection: Connection, user_id: UUID, number: int, state: str, run_id: str | None) -> UUID:
    scrape_id = uuid4()
    connection.execute(
        text(
            "INSERT INTO scrapes (id, idno, run_id, state, error, finished_at)"
            " VALUES (:id, :idno, :run, :state, :error, CASE WHEN :is_over THEN now() END)"
        ),
        {
            "id": scrape_id,
            "idno": make_idno(number),
            "run": run_id,
            "state": state,
            "error": f"why {state}" if state == "failed" else None,
            "is_over": state not in STATES[:3],
        },
    )
    for _ in range(2):
        connection.execute(
            text("INSERT INTO scrape_requests (scrape_id, user_id, force_refresh) VALUES (:s, :u, true)"),
            {"s": scrape_id, "u": user_id},
        )
    return scrape_id


@pytest.fixture
def empty(databases: Databases) -> Iterator[Databases]:
    """A PostgreSQL server with empty databases."""
    with databases.fresh(migrated=False) as fresh:
        yield fresh


def test_migrated_scrapes_keep_their_runs_states_and_requesters(empty: Databases) -> None:
    user_id = uuid4()
    url = empty.url(database_roles.USERS_OWNER, database_roles.USERS_DATABASE)
    migrate(scripts=SCRIPTS, url=url, revision="0002")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (id, username, password_hash) VALUES (:id, 'ana', '-')"),
            {"id": user_id},
        )
        scrapes = {
            state: add_scrape(
                connection, user_id, number, state, None if state == "launching" else f"run {state}"
            )
            for number, state in enumerate(STATES)
        }
        never_launched = add_scrape(connection, user_id, 99, "failed", None)

    migrate(scripts=SCRIPTS, url=url)
    migrate(scripts=SCRIPTS, url=url)

    api = create_engine(empty.url(database_roles.API, database_roles.USERS_DATABASE), poolclass=NullPool)
    with api.begin() as connection:
        migrated = {
            row["id"]: row
            for row in rows(
                connection,
                "SELECT s.*, l.run_id, l.kind, l.requested_by, l.claimed_until <= now() AS is_free,"
                " (SELECT count(*) FROM launch_scrapes WHERE scrape_id = s.id) AS links,"
                " (SELECT count(*) FROM scrape_requests WHERE scrape_id = s.id"
                "  AND user_id IS NOT NULL AND withdrawn_at IS NULL) AS requests"
                " FROM scrapes s LEFT JOIN launches l ON l.id = s.launch_id",
            )
        }
    assert len(migrated) == len(STATES) + 1
    for state, scrape_id in scrapes.items():
        row = migrated[scrape_id]
        assert (row["state"], row["requests"], row["links"]) == (state, 2, 1)
        assert row["run_id"] == (None if state == "launching" else f"run {state}")
        assert (row["kind"], row["requested_by"]) == ("person", "ana")
        assert row["error"] == ("why failed" if state == "failed" else None)
    outcomes = {state: migrated[scrape_id]["outcome"] for state, scrape_id in scrapes.items()}
    assert {state: outcome for state, outcome in outcomes.items() if outcome} == {
        "succeeded": "ok",
        "not_found": "not_found",
        "blocked": "blocked",
    }
    assert migrated[scrapes["launching"]]["is_free"]
    assert (migrated[never_launched]["launch_id"], migrated[never_launched]["error"]) == (
        None,
        "why failed",
    )
