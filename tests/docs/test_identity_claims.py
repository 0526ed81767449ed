"""Nothing says that two parties of the same name are one person, because the source's id is a hash of the name."""

from datetime import UTC, datetime

from sqlalchemy import text

from standin.site_facts import make_idno
from tests.api.record_factory import store_record
from tests.docs.blocks import code_blocks
from tests.warehouse_server import Databases
from warehouse.records.models import CompanyFacts, Party, PartyKind
from warehouse.schema import database_roles

NAMESAKE = Party(name="RUSU-TEST ION", kind=PartyKind.PERSON, source_id="a" * 64)


def test_sql_examples_call_a_link_through_persons_the_same_name(databases: Databases) -> None:
    [query] = [block for block in code_blocks("analyst.md", "sql") if "source_id " in block]
    idnos = sorted((make_idno(3960), make_idno(3961)))
    with databases.warehouse() as connection:
        for idno in idnos:
            facts = CompanyFacts(idno=idno, name="X", founders=(NAMESAKE,))
            store_record(connection, facts, at=datetime(2026, 9, 1, tzinfo=UTC))
    with databases.warehouse(database_roles.API) as connection:
        [found] = connection.execute(text(query)).mappings()
    assert dict(found) == {"same_name": "RUSU-TEST ION", "companies": 2, "idnos": idnos}


def test_api_describes_the_id_of_a_person_as_a_hash_of_the_name() -> None:
    described = " ".join(str(Party.model_json_schema()["description"]).split())
    assert "a person's id is a hash of the name, so namesakes have the same id" in described


def test_all_sql_examples_run_in_the_role_that_can_only_read(databases: Databases) -> None:
    for query in code_blocks("analyst.md", "sql"):
        with databases.warehouse(database_roles.API) as connection:
            connection.execute(text(query)).fetchall()
