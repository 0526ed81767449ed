"""Re-transformation: what is stale and no more, in batches, over processes, gone on with after any stop."""

from dataclasses import replace

import pytest

from pipeline.records.capture_store import good_captures, stale_cohorts, stale_companies
from pipeline.records.cohorts import COHORTS, OTHERS
from pipeline.records.record_updates import update_records
from pipeline.transform.merge import transform
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import RecordsHarness
from warehouse.schema import database_roles

BATCH = 10


def cohort_of(idno: str) -> str:
    """The year in the IDNO of a made-up company."""
    return f"2{idno[1:4]}"


MANY = [make_idno(number) for number in range(3 * BATCH + 7)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of ten, and processes for more than one of them."""
    monkeypatch.setattr("pipeline.records.retransform.BATCH", BATCH)
    monkeypatch.setattr("pipeline.records.retransform._SINGLE_PROCESS_MAX", BATCH)


def test_nothing_stale_is_nothing_done(stage: RecordsHarness) -> None:
    stage.put_many(MANY[:5])
    assert len(stage.retransform()) == 5
    before = stage.tables()
    assert stage.retransform() == []
    assert stage.tables() == before


def test_a_newer_version_touches_only_what_it_reads_otherwise(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renames(**arguments: object) -> object:
        read = transform(**arguments)  # type: ignore[arg-type]
        if arguments["idno"] != MANY[0]:
            return read
        return replace(read, facts=read.facts.model_copy(update={"founders": ()}))

    stage.version(1)
    stage.put_many(MANY[:6])
    stage.retransform()
    before = stage.tables()
    stage.version(2)
    monkeypatch.setattr("pipeline.records.record_updates.transform", renames)
    stage.retransform()
    after = stage.tables()

    for table in ("company_activities", "financial_statements", "financial_lines"):
        assert after[table] == before[table]
    touched = set(before["company_parties"]) ^ set(after["company_parties"])
    assert touched and all(MANY[0] in row for row in touched)
    assert [row["idno"] for row in stage.rows("SELECT DISTINCT idno FROM company_changes")] == [MANY[0]]


def test_processes_side_by_side_come_to_what_one_comes_to(stage: RecordsHarness) -> None:
    stage.put_many(MANY)
    results = stage.retransform(processes=2)
    assert sorted(each.idno for each in results) == sorted(MANY)
    side_by_side = stage.all_facts(MANY)
    with stage.owner() as owner:
        owner.exec_driver_sql("DELETE FROM transformed_data")
        owner.exec_driver_sql("DELETE FROM financial_lines")
        for table in ("company_parties", "company_activities", "financial_statements"):
            owner.exec_driver_sql(f"DELETE FROM {table}")
    stage.transform(*MANY)
    assert stage.all_facts(MANY) == side_by_side
    assert len(side_by_side) == len(MANY)


def test_a_stop_in_the_middle_loses_nothing_and_the_next_run_goes_on(stage: RecordsHarness) -> None:
    stage.put_many(MANY)
    batches = stage.batches()
    first = next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert len(first) == BATCH
    assert len(stage.retransform()) == len(MANY) - BATCH
    assert len(stage.rows("SELECT idno FROM transformed_data")) == len(MANY)


def test_processes_that_are_stopped_end_with_whole_batches(stage: RecordsHarness) -> None:
    stage.put_many(MANY)
    batches = stage.batches(processes=2)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    done = len(stage.rows("SELECT idno FROM transformed_data"))
    assert done % BATCH in (0, len(MANY) % BATCH) and done >= BATCH
    assert len(stage.retransform()) == len(MANY) - done


def test_a_cohort_is_done_alone(stage: RecordsHarness) -> None:
    by_cohort = {cohort_of(idno): idno for idno in MANY[:26]}
    stage.put_many(list(by_cohort.values()))
    with stage.databases.engine(database_roles.PIPELINE).begin() as connection:
        assert stale_cohorts(connection) == sorted(by_cohort)
    stage.retransform(cohort="2003")
    assert [row["idno"] for row in stage.rows("SELECT idno FROM transformed_data")] == [by_cohort["2003"]]


def test_every_idno_is_of_one_cohort(stage: RecordsHarness) -> None:
    odd = "2002998000002"  # no legal entity's register
    stage.put_many([MANY[0]])
    with stage.owner() as owner:
        owner.exec_driver_sql(f"INSERT INTO pending_captures SELECT '{odd}', id FROM source_data")
    with stage.databases.engine(database_roles.PIPELINE).begin() as connection:
        found = {cohort: stale_companies(connection, cohort=cohort, limit=10) for cohort in COHORTS}
    assert found[OTHERS] == [odd]
    assert [idno for idnos in found.values() for idno in idnos] == [*found[cohort_of(MANY[0])], odd]


def test_a_record_of_a_newer_capture_is_never_replaced_by_an_older_one(stage: RecordsHarness) -> None:
    older = stage.put(MANY[0], changes={"fullName": "VECHI"})
    stage.put(MANY[0], changes={"fullName": "NOU"})
    stage.transform(MANY[0])
    engine = stage.databases.engine(database_roles.PIPELINE)
    with engine.begin() as connection:
        captures = good_captures(connection, [older])
    [done] = update_records(engine.begin, captures)
    facts = stage.facts(MANY[0])
    assert (done.result, facts and facts.name) == ("a newer capture is current", "NOU")
