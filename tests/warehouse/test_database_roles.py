"""The databases enforce the privileges of each role."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from pipeline.records.capture_store import captures_of_companies, store_capture
from pipeline.records.record_updates import update_records
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import CaptureSpec
from tests.warehouse_server import Databases
from warehouse.schema import database_roles

EVIDENCE = ("source_data", "raw_documents", "source_payloads")


@pytest.fixture(scope="module", autouse=True)
def _stored_record(databases: Databases) -> None:
    idno = make_idno(3400)
    with databases.warehouse() as connection:
        capture = CaptureSpec(idno).capture(datetime.now(UTC))
        store_capture(connection, capture, run_id="a run", requested_by=None)
        captures = captures_of_companies(connection, [idno])
    [done] = update_records(databases.warehouse, captures)
    assert done.result == "transformed"


@pytest.mark.parametrize("table", EVIDENCE)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET sha256 = sha256"])
@pytest.mark.parametrize("role", [database_roles.PIPELINE, database_roles.WAREHOUSE_OWNER])
def test_evidence_cannot_be_changed_even_by_its_owner(
    databases: Databases, table: str, change: str, role: str
) -> None:
    column = "outcome = outcome" if table == "source_data" else "sha256 = sha256"
    statement = change.format(table).replace("sha256 = sha256", column)
    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        databases.warehouse(role) as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("table", [*EVIDENCE, "transformed_data", "company_parties"])
def test_api_role_can_read_the_warehouse_but_not_write(databases: Databases, table: str) -> None:
    with databases.warehouse(database_roles.API) as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() > 0
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        databases.warehouse(database_roles.API) as connection,
    ):
        connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize(
    ("role", "database"),
    [
        (database_roles.PIPELINE, database_roles.USERS_DATABASE),
        (database_roles.PIPELINE, database_roles.DAGSTER_DATABASE),
        (database_roles.API, database_roles.DAGSTER_DATABASE),
        (database_roles.DAGSTER, database_roles.WAREHOUSE_DATABASE),
        (database_roles.DAGSTER, database_roles.USERS_DATABASE),
    ],
)
def test_role_cannot_connect_to_a_database_it_does_not_need(
    databases: Databases, role: str, database: str
) -> None:
    with (
        pytest.raises(OperationalError, match="permission denied"),
        create_engine(databases.url(role, database), poolclass=NullPool).connect(),
    ):
        pass


def test_body_cannot_be_stored_under_another_hash(databases: Databases) -> None:
    with pytest.raises(DBAPIError, match="hash_is_right"), databases.warehouse() as connection:
        connection.execute(
            text("INSERT INTO raw_documents VALUES ('0000', 'content'::bytea, 'text/html', 7)")
        )


def test_analysts_view_shows_every_column_of_a_capture(databases: Databases) -> None:
    columns = text("SELECT column_name FROM information_schema.columns WHERE table_name = :of")
    with databases.warehouse() as connection:
        kept = set(connection.scalars(columns, {"of": "source_data"}))
        shown = set(connection.scalars(columns, {"of": "source_data_html"}))
    assert shown == kept | {"raw_html", "html_removed_at"}
