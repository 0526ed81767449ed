"""Tests of the assets of records: their materializations, their metadata, and what fails a run."""

from datetime import UTC, datetime
from typing import Any

from dagster import ExecuteInProcessResult
from redis import Redis

from pipeline.definitions import defs
from pipeline.records.capture_store import store_capture
from pipeline.settings import pipeline_settings
from standin.site_facts import with_check_digit
from tests.pipeline.dagster_in_process import InProcessDagster
from tests.pipeline.records.records_harness import CaptureSpec
from warehouse.contract import CHECK_JOB, RETRANSFORM_JOB, retransform_run_config
from warehouse.records.record_cache import company_key
from warehouse.schema import database_roles

COHORT = "2029"
TABLES = {
    *("transformed_data", "company_parties", "company_activities", "financial_statements"),
    "company_changes",
}
OTHERS_PAGE = "<h1>ALTA FIRMA</h1><p>Nimic</p>"


def idno_of(number: int) -> str:
    return with_check_digit(f"1029997{number:05d}")


def put(in_process: InProcessDagster, numbers: range, **made: Any) -> list[str]:
    idnos = [idno_of(number) for number in numbers]
    with in_process.databases.warehouse() as connection:
        for idno in idnos:
            capture = CaptureSpec(idno, **made).capture(datetime.now(UTC))
            store_capture(connection, capture, run_id="a run", requested_by=None)
    return idnos


def retransform(in_process: InProcessDagster) -> ExecuteInProcessResult:
    job = defs.resolve_job_def(RETRANSFORM_JOB)
    return job.execute_in_process(
        retransform_run_config(COHORT), instance=in_process.instance, raise_on_error=False
    )


def metadata(result: ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    return {
        event.materialization.asset_key.to_user_string(): {
            name: getattr(entry, "records", None) or entry.value
            for name, entry in event.materialization.metadata.items()
        }
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION"
    }


def test_one_step_materializes_all_tables(in_process: InProcessDagster) -> None:
    put(in_process, range(3), changes={"rating": 5})
    put(in_process, range(3, 4), with_company=False, html=OTHERS_PAGE)
    result = retransform(in_process)

    assert result.success
    metadata_by_asset = metadata(result)
    assert metadata_by_asset.keys() == TABLES
    records = metadata_by_asset["transformed_data"]
    assert (records["companies"], records["result/transformed"], records["result/not transformed"]) == (
        4,
        3,
        1,
    )
    [refused] = records["quarantine"]
    assert (refused.data["idno"], refused.data["note"]) == (
        idno_of(3),
        "neither the page nor its JSON contains the IDNO",
    )
    [unknown] = records["unknown_fields"]
    assert "rating" in str(unknown.data["field"]) and unknown.data["companies"] == 3


def test_retransformed_record_is_removed_from_the_cache(in_process: InProcessDagster) -> None:
    [idno] = put(in_process, range(10, 11))
    cache = Redis.from_url(pipeline_settings().redis_cache_url)
    cache.set(company_key(idno), "as it was")
    assert retransform(in_process).success
    assert cache.get(company_key(idno)) is None
    cache.close()


def test_too_many_unreadable_captures_fail_the_run_and_name_the_setting(in_process: InProcessDagster) -> None:
    in_process.set(quarantine_at_least="2", quarantine_per_cent="10")
    idnos = put(in_process, range(20, 23), with_company=False, html=OTHERS_PAGE)
    result = retransform(in_process)
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    error = str(failure.step_failure_data.error_display_string)
    assert "3 of 3 captures could not be transformed" in error
    assert "REGISTRU_QUARANTINE_PER_CENT" in error
    assert in_process.query("SELECT idno FROM quarantine WHERE idno = ANY(:idnos)", idnos=idnos) == []

    in_process.set(quarantine_at_least="3")
    assert retransform(in_process).success
    assert len(in_process.query("SELECT idno FROM quarantine WHERE idno = ANY(:idnos)", idnos=idnos)) == 3


def test_each_check_reports_a_summary(in_process: InProcessDagster) -> None:
    result = defs.resolve_job_def(CHECK_JOB).execute_in_process(
        instance=in_process.instance, raise_on_error=False
    )
    summaries = {
        evaluation.check_name: evaluation.metadata["found"].value
        for evaluation in result.get_asset_check_evaluations()
    }
    assert summaries.keys() == {
        "identity",
        "references",
        "counts",
        "fill_rates",
        "unknown_fields",
        "unread_texts",
        "freshness",
        "sweeps",
    }
    assert all(summaries.values())


def test_failed_error_check_fails_its_run(in_process: InProcessDagster) -> None:
    _, idno = put(in_process, range(30, 32))
    assert retransform(in_process).success
    with in_process.databases.warehouse(database_roles.WAREHOUSE_OWNER) as owner:
        owner.exec_driver_sql(
            "UPDATE transformed_data SET source_data_id = (SELECT min(id) FROM source_data)"
            f" WHERE idno = '{idno}'"
        )
    result = defs.resolve_job_def(CHECK_JOB).execute_in_process(
        instance=in_process.instance, raise_on_error=False
    )
    with in_process.databases.warehouse(database_roles.WAREHOUSE_OWNER) as owner:
        owner.exec_driver_sql(f"DELETE FROM transformed_data WHERE idno = '{idno}'")
    [evaluation] = [found for found in result.get_asset_check_evaluations() if found.check_name == "identity"]
    assert not evaluation.passed and not result.success
