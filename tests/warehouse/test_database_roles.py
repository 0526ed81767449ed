"""The databases enforce the privileges of each role."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from warehouse.schema import database_roles

EVIDENCE = ("source_data", "raw_documents", "source_payloads")


@pytest.fixture(scope="module", autouse=True)
def _stored_capture(platform: Platform) -> None:
    platform.wait_until_healthy()
    with platform.signed_in() as user:
        assert user.fetch(make_idno(3400))["state"] == "succeeded"


@pytest.mark.parametrize("table", EVIDENCE)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET sha256 = sha256"])
@pytest.mark.parametrize("role", [database_roles.PIPELINE, database_roles.WAREHOUSE_OWNER])
def test_evidence_cannot_be_changed_even_by_its_owner(
    platform: Platform, table: str, change: str, role: str
) -> None:
    column = "outcome = outcome" if table == "source_data" else "sha256 = sha256"
    statement = change.format(table).replace("sha256 = sha256", column)
    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        platform.warehouse(role) as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("table", [*EVIDENCE, "transformed_data", "company_parties"])
def test_api_role_can_read_the_warehouse_but_not_write(platform: Platform, table: str) -> None:
    with platform.warehouse(database_roles.API) as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() > 0
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        platform.warehouse(database_roles.API) as connection,
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
    platform: Platform, role: str, database: str
) -> None:
    with (
        pytest.raises(OperationalError, match="permission denied"),
        platform.engine(role, database).connect(),
    ):
        pass


def test_body_cannot_be_stored_under_another_hash(platform: Platform) -> None:
    with pytest.raises(DBAPIError, match="hash_is_right"), platform.warehouse() as connection:
        connection.execute(
            text("INSERT INTO raw_documents VALUES ('0000', 'content'::bytea, 'text/html', 7)")
        )


def test_body_of_an_unchanged_page_is_stored_once(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(3401)
    user.fetch(idno)
    user.fetch(idno)

    rows = platform.query("SELECT raw_html_sha256 FROM source_data WHERE idno = :idno", idno=idno)
    assert len(rows) == 2
    assert len({row["raw_html_sha256"] for row in rows}) == 1


def test_analysts_view_shows_every_column_of_a_capture(platform: Platform) -> None:
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = :of ORDER BY 1"
    kept = {row["column_name"] for row in platform.query(columns, of="source_data")}
    shown = {row["column_name"] for row in platform.query(columns, of="source_data_html")}
    assert shown == kept | {"raw_html", "html_removed_at"}
