"""Migrating databases from the first revision to the newest loses no data and keeps all constraints."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from stack.databases import MIGRATIONS, OwnedDatabase
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate
from warehouse.schema.revision_check import SchemaMismatch, check_schema, revisions

Rows = dict[str, list[dict[str, Any]]]
OUTCOMES = ("ok", "ok", "ok", "not_found", "blocked", "timeout")
STATES = ("launching", "queued", "running", "succeeded", "not_found", "blocked", "failed", "cancelled")


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[dict[str, OwnedDatabase]]:
    with databases.fresh(migrated=False) as empty:
        yield {name: OwnedDatabase(name, empty.url(database_roles.OWNERS[name], name)) for name in MIGRATIONS}


def fill_warehouse(connection: Connection) -> None:
    for number in range(4):
        connection.execute(
            text(
                "INSERT INTO raw_documents SELECT encode(sha256(b), 'hex'), b, 'text/html', length(b)"
                " FROM (SELECT convert_to('<h1>Lentile ' || :number || '</h1>', 'UTF8') AS b) AS body"
            ),
            {"number": str(number)},
        )
    hashes = list(connection.scalars(text("SELECT sha256 FROM raw_documents ORDER BY sha256")))
    for number, outcome in enumerate(OUTCOMES):
        idno = make_idno(3700 + number % 4)
        source_data_id = connection.execute(
            text(
                "INSERT INTO source_data (idno, url, status_code, outcome, raw_html_sha256, fetched_at, duration_ms,"
                " run_id, requested_by) VALUES (:idno, 'https://example.md/' || :idno, 200, :outcome, :sha256,"
                " timestamptz '2026-01-01' + :number * interval '1 day', 812, 'run ' || :number, 'ana') RETURNING id"
            ),
            {"idno": idno, "outcome": outcome, "sha256": hashes[number % 4], "number": number},
        ).scalar_one()
        connection.execute(
            text("INSERT INTO source_payloads VALUES (:id, 0, 'https://example.md/api', 200, :sha256)"),
            {"id": source_data_id, "sha256": hashes[0]},
        )
        if number < 2:
            connection.execute(
                text(
                    "INSERT INTO transformed_data VALUES (:idno, 'LENTILE SRL', 'SRL', 'active', '2003-01-01',"
                    " 'Chișinău', '{}', :id, '2026-01-01', 1, '2026-01-02')"
                ),
                {"idno": idno, "id": source_data_id},
            )
            connection.execute(
                text(
                    "INSERT INTO company_parties VALUES"
                    " (:idno, 'founder', 0, 'ANA', 'person', 33.3333, NULL, NULL, 'p1', :id, 1)"
                ),
                {"idno": idno, "id": source_data_id},
            )


def fill_users(connection: Connection) -> None:
    user_id = uuid4()
    connection.execute(
        text(
            "INSERT INTO users (id, username, email, password_hash) VALUES (:id, 'ana', 'ana@example.md', '-')"
        ),
        {"id": user_id},
    )
    for number, state in enumerate(STATES):
        scrape_id = uuid4()
        connection.execute(
            text(
                "INSERT INTO scrapes (id, idno, run_id, state, error, finished_at) VALUES (:id, :idno, :run, :state,"
                " :error, CASE WHEN :is_over THEN now() END)"
            ),
            {
                "id": scrape_id,
                "idno": make_idno(number),
                "run": None if state == "launching" else f"run {state}",
                "state": state,
                "error": "why" if state == "failed" else None,
                "is_over": number > 2,
            },
        )
        connection.execute(
            text("INSERT INTO scrape_requests (scrape_id, user_id, force_refresh) VALUES (:s, :u, true)"),
            {"s": scrape_id, "u": user_id},
        )


FILL = {database_roles.WAREHOUSE_DATABASE: fill_warehouse, database_roles.USERS_DATABASE: fill_users}


def all_rows(connection: Connection) -> Rows:
    tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    return {
        table: sorted(connection.scalars(text(f'SELECT to_jsonb(t) FROM "{table}" t')), key=repr)
        for table in tables
        if table != "alembic_version"
    }


def as_before(after: Rows, before: Rows) -> Rows:
    """Return the rows of `after`, reduced to the tables of `before` and their columns that still exist."""
    return {
        table: sorted(
            ({name: row[name] for name in rows[0] if name in row} for row in after[table]), key=repr
        )
        for table, rows in before.items()
        if rows
    }


@dataclass(frozen=True)
class UpgradeStep:
    """The rows of a database before and after a migration."""

    revision: str
    before: Rows
    after: Rows


@pytest.fixture(scope="module")
def steps(server: dict[str, OwnedDatabase]) -> dict[str, list[UpgradeStep]]:
    """Each database, filled at the first revision and migrated one revision at a time."""
    return {name: _migrate_step_by_step(server[name]) for name in FILL}


def _migrate_step_by_step(database: OwnedDatabase) -> list[UpgradeStep]:
    scripts = MIGRATIONS[database.name]
    first, *later = revisions(scripts)
    migrate(scripts=scripts, url=database.url, revision=first)
    with database.engine().begin() as connection:
        FILL[database.name](connection)
        before = all_rows(connection)
    taken = []
    for revision in later:
        migrate(scripts=scripts, url=database.url, revision=revision)
        with database.engine().connect() as connection:
            after = all_rows(connection)
        taken.append(UpgradeStep(revision, before, after))
        before = after
    return taken


@pytest.mark.parametrize("name", FILL)
def test_migrations_from_the_first_to_the_last_revision_lose_no_row(
    server: dict[str, OwnedDatabase], steps: dict[str, list[UpgradeStep]], name: str
) -> None:
    assert all(steps[name][0].before.values())
    for step in steps[name]:
        kept = as_before(step.after, step.before)
        lost = {"run_id"} if (name, step.revision) == (database_roles.USERS_DATABASE, "0003") else set()
        for table, rows in step.before.items():
            expected = [{key: value for key, value in row.items() if key not in lost} for row in rows]
            assert kept.get(table, []) == sorted(expected, key=repr), f"{table} at {step.revision}"
    with server[name].engine().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")) == 0


def test_run_ids_of_scrapes_are_moved_to_launches(steps: dict[str, list[UpgradeStep]]) -> None:
    first, last = (
        steps[database_roles.USERS_DATABASE][0].before,
        steps[database_roles.USERS_DATABASE][-1].after,
    )
    assert {row["run_id"] for row in last["launches"]} == {row["run_id"] for row in first["scrapes"]}


def test_records_before_the_upgrade_have_no_remarks_and_no_unread_texts(
    steps: dict[str, list[UpgradeStep]],
) -> None:
    after = steps[database_roles.WAREHOUSE_DATABASE][-1].after
    heads = [(row["remarks"], row["unread"], row["incomplete"]) for row in after["transformed_data"]]
    assert heads == [({}, [], [])] * 2
    assert [row["remark"] for row in after["company_parties"]] == [None, None]


@pytest.mark.parametrize("scripts", MIGRATIONS.values())
def test_file_names_give_all_revisions_in_order(scripts: Path) -> None:
    linear = [script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()]
    assert revisions(scripts) == tuple(reversed(linear))


REFUSED = (
    (database_roles.WAREHOUSE_DATABASE, "DELETE FROM source_data", "append-only"),
    (database_roles.WAREHOUSE_DATABASE, "UPDATE raw_documents SET content = NULL", "append-only"),
    (database_roles.WAREHOUSE_DATABASE, "TRUNCATE raw_documents CASCADE", "append-only"),
    (
        database_roles.WAREHOUSE_DATABASE,
        "INSERT INTO raw_documents VALUES ('0', 'x', 'text/html', 1)",
        "hash_is_right",
    ),
    (
        database_roles.WAREHOUSE_DATABASE,
        "INSERT INTO raw_documents VALUES ('0', NULL, 'text/html', 1)",
        "removed_say_why",
    ),
    (database_roles.WAREHOUSE_DATABASE, "UPDATE transformed_data SET status = 'odd'", "status_is_known"),
    (database_roles.WAREHOUSE_DATABASE, "UPDATE company_parties SET share = 101", "share_is_per_cent"),
    (database_roles.USERS_DATABASE, "UPDATE scrapes SET state = 'odd'", "state_is_known"),
    (database_roles.USERS_DATABASE, "UPDATE users SET role = 'king'", "role_is_known"),
    (database_roles.USERS_DATABASE, "TRUNCATE audit_log", "append-only"),
    (
        database_roles.USERS_DATABASE,
        "INSERT INTO scrapes (id, idno, state) SELECT gen_random_uuid(), idno, 'queued' FROM scrapes LIMIT 1",
        "scrapes_open_by_company",
    ),
)


@pytest.mark.parametrize(("name", "statement", "message"), REFUSED)
@pytest.mark.usefixtures("steps")
def test_constraints_hold_after_all_migrations(
    server: dict[str, OwnedDatabase], name: str, statement: str, message: str
) -> None:
    with pytest.raises(DBAPIError, match=message), server[name].engine().begin() as connection:
        connection.execute(text(statement))


def set_revision(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.usefixtures("steps")
def test_older_database_is_refused_and_a_newer_one_only_served(
    server: dict[str, OwnedDatabase],
) -> None:
    database = server[database_roles.WAREHOUSE_DATABASE]
    with database.engine().connect() as connection:
        assert check_schema(connection, database="warehouse") is None
        set_revision(connection, "0003")
        for may_be_newer in (True, False):
            with pytest.raises(
                SchemaMismatch, match=r"is at revision 0003, this version needs .*; run `registru migrate`"
            ):
                check_schema(connection, database="warehouse", may_be_newer=may_be_newer)
        set_revision(connection, "9999")
        assert "newer than this version" in (
            check_schema(connection, database="warehouse", may_be_newer=True) or ""
        )
        with pytest.raises(SchemaMismatch, match="9999, newer than this version knows"):
            check_schema(connection, database="warehouse")
        connection.execute(text("DROP TABLE alembic_version"))
        with pytest.raises(SchemaMismatch, match="at revision unknown"):
            check_schema(connection, database="warehouse", may_be_newer=True)
        connection.rollback()
