"""Tests of re-transformation: only stale records, in batches, on several processes, continued after a stop."""

import json
from dataclasses import replace

import pytest

from pipeline.records.capture_store import good_captures, stale_cohorts, stale_companies
from pipeline.records.cohort_names import COHORTS, OTHERS
from pipeline.records.record_updates import update_records
from pipeline.transform.merge import transform
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import RecordsHarness, page
from warehouse.folding import fold
from warehouse.records.models import CompanyStatus
from warehouse.schema import database_roles

BATCH = 10


def cohort_of(idno: str) -> str:
    """Return the year in the IDNO of a made-up company."""
    return f"2{idno[1:4]}"


MANY = [make_idno(number) for number in range(3 * BATCH + 7)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches of ten companies, and use several processes for more than one batch."""
    monkeypatch.setattr("pipeline.records.retransform.BATCH", BATCH)
    monkeypatch.setattr("pipeline.records.retransform._SINGLE_PROCESS_MAX", BATCH)


def test_fresh_records_are_not_transformed_again(harness: RecordsHarness) -> None:
    harness.put_many(MANY[:5])
    assert len(harness.retransform()) == 5
    before = harness.tables()
    assert harness.retransform() == []
    assert harness.tables() == before


def test_newer_version_folds_the_names_again(harness: RecordsHarness) -> None:
    harness.version(1)
    harness.put(MANY[0])
    harness.retransform()
    with harness.owner() as connection:
        connection.exec_driver_sql("UPDATE transformed_data SET name_folded = 'folded by an earlier version'")
    harness.version(2)
    harness.retransform()
    [row] = harness.rows("SELECT name, name_folded FROM transformed_data")
    assert row["name_folded"] == fold(row["name"])
    assert harness.changes(MANY[0]) == []


def test_newer_version_writes_only_what_it_reads_differently(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renames(**arguments: object) -> object:
        read = transform(**arguments)  # type: ignore[arg-type]
        if arguments["idno"] != MANY[0]:
            return read
        return replace(read, facts=read.facts.model_copy(update={"founders": ()}))

    harness.version(1)
    harness.put_many(MANY[:6])
    harness.retransform()
    before = harness.tables()
    harness.version(2)
    monkeypatch.setattr("pipeline.records.record_updates.transform", renames)
    harness.retransform()
    after = harness.tables()

    for table in ("company_activities", "financial_statements", "financial_lines"):
        assert after[table] == before[table]
    touched = set(before["company_parties"]) ^ set(after["company_parties"])
    assert touched and all(MANY[0] in row for row in touched)
    assert [row["idno"] for row in harness.rows("SELECT DISTINCT idno FROM company_changes")] == [MANY[0]]


def test_several_processes_produce_the_same_records_as_one(harness: RecordsHarness) -> None:
    harness.put_many(MANY)
    results = harness.retransform(processes=2)
    assert sorted(done.idno for done in results) == sorted(MANY)
    side_by_side = harness.all_facts(MANY)
    with harness.owner() as owner:
        owner.exec_driver_sql("DELETE FROM transformed_data")
        owner.exec_driver_sql("DELETE FROM financial_lines")
        for table in ("company_parties", "company_activities", "financial_statements"):
            owner.exec_driver_sql(f"DELETE FROM {table}")
    harness.transform(*MANY)
    assert harness.all_facts(MANY) == side_by_side
    assert len(side_by_side) == len(MANY)


def test_next_run_continues_after_a_stop_in_the_middle(harness: RecordsHarness) -> None:
    harness.put_many(MANY)
    batches = harness.batches()
    first = next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert len(first) == BATCH
    assert len(harness.retransform()) == len(MANY) - BATCH
    assert len(harness.rows("SELECT idno FROM transformed_data")) == len(MANY)


def test_stopped_processes_complete_their_batches(harness: RecordsHarness) -> None:
    harness.put_many(MANY)
    batches = harness.batches(processes=2)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    done = len(harness.rows("SELECT idno FROM transformed_data"))
    assert done % BATCH in (0, len(MANY) % BATCH) and done >= BATCH
    assert len(harness.retransform()) == len(MANY) - done


def test_retransformation_of_a_cohort_does_not_change_the_others(harness: RecordsHarness) -> None:
    by_cohort = {cohort_of(idno): idno for idno in MANY[:26]}
    harness.put_many(list(by_cohort.values()))
    with harness.databases.engine(database_roles.PIPELINE).begin() as connection:
        assert stale_cohorts(connection) == sorted(by_cohort)
    harness.retransform(cohort="2003")
    assert [row["idno"] for row in harness.rows("SELECT idno FROM transformed_data")] == [by_cohort["2003"]]


def test_every_idno_belongs_to_exactly_one_cohort(harness: RecordsHarness) -> None:
    odd = "2002998000002"  # not the IDNO of a legal entity
    harness.put_many([MANY[0]])
    with harness.owner() as owner:
        owner.exec_driver_sql(f"INSERT INTO pending_captures SELECT '{odd}', id FROM source_data")
    with harness.databases.engine(database_roles.PIPELINE).begin() as connection:
        found = {cohort: stale_companies(connection, cohort=cohort, limit=10) for cohort in COHORTS}
    assert found[OTHERS] == [odd]
    assert [idno for idnos in found.values() for idno in idnos] == [*found[cohort_of(MANY[0])], odd]


def test_older_capture_never_replaces_a_newer_record(harness: RecordsHarness) -> None:
    older = harness.put(MANY[0], changes={"fullName": "VECHI"})
    harness.put(MANY[0], changes={"fullName": "NOU"})
    harness.transform(MANY[0])
    engine = harness.databases.engine(database_roles.PIPELINE)
    with engine.begin() as connection:
        captures = good_captures(connection, [older])
    [done] = update_records(engine.begin, captures)
    facts = harness.facts(MANY[0])
    assert (done.result, facts and facts.name) == ("a newer capture is current", "NOU")


def test_stored_look_is_used_and_captures_without_one_stay_readable(harness: RecordsHarness) -> None:
    shown = [("Statut", "Lichidată")]
    html = page(MANY[0], "ALFA FRUCT", shown)
    look = {"version": 1, "elements": 9, "marks": [[7, "dt", 1], [8, "dd", 1]]}
    harness.put(MANY[0], html=html, look=json.dumps(look), with_company=False, with_statements=False)
    harness.put(MANY[1], html=page(MANY[1], "BETA", shown), with_company=False, with_statements=False)
    harness.retransform()
    facts = harness.all_facts(MANY[:2])
    assert (facts[MANY[0]].status, facts[MANY[1]].status) == (None, CompanyStatus.INACTIVE)
