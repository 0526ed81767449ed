"""Tests of re-transformation by cohort, from Dagster's backfill page and from the command line."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.records.capture_store import store_capture
from stack.cli import main
from standin.site_facts import with_check_digit
from tests.pipeline.records.records_harness import CaptureSpec
from tests.platform_harness import Platform
from tests.polling import wait_for
from warehouse.contract import CODE_LOCATION, REPOSITORY, RETRANSFORM_JOB
from warehouse.schema import database_roles

BACKFILLED_COHORTS = ["2034", "2035", "2036"]
BROKEN = "2035"
COMMAND_COHORT = "2039"
COMPANIES = 12
"""The number of companies of a cohort; more than the failures that are always tolerated."""
_BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message }
  }
}
"""
_PROGRESS = """
query Progress($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status partitionStatuses { results { partitionName runStatus runId } } }
  }
}
"""
_RETRY = """
mutation Retry($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  }
}
"""


def idno_of(cohort: str, number: int) -> str:
    return with_check_digit(f"1{int(cohort) - 2000:03d}998{number:05d}")


def put(platform: Platform, cohorts: list[str], *, start: int) -> None:
    """Store pending captures, as a killed run leaves them."""
    with platform.warehouse() as connection:
        for cohort in cohorts:
            for number in range(start, start + COMPANIES):
                capture = CaptureSpec(idno_of(cohort, number)).capture(datetime.now(UTC))
                store_capture(connection, capture, run_id="a run", requested_by=None)


def records(platform: Platform, cohort: str) -> int:
    [row] = platform.query(
        "SELECT count(*) AS records FROM transformed_data WHERE idno LIKE :prefix",
        prefix=f"1{int(cohort) - 2000:03d}998%",
    )
    return int(row["records"])


@contextmanager
def refused_records(platform: Platform) -> Iterator[None]:
    """Let the tables refuse the records of one cohort during the block."""
    owner = platform.engine(database_roles.WAREHOUSE_OWNER, database_roles.WAREHOUSE_DATABASE)
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE transformed_data ADD CONSTRAINT broken CHECK (idno NOT BETWEEN '1035998' AND '1035999')"
        )
    yield
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE transformed_data DROP CONSTRAINT IF EXISTS broken")


@pytest.fixture(scope="module", autouse=True)
def backfill_id(platform: Platform) -> Iterator[str]:
    """Launch a backfill of all cohorts. Dagster's daemon starts its runs up to 30 s later, while other tests run."""
    platform.wait_until_healthy()
    put(platform, BACKFILLED_COHORTS, start=0)
    with refused_records(platform):
        yield _launch_backfill(platform)


def stored_records(platform: Platform) -> list[str]:
    """Return the records of the healthy cohorts, each with the time of its transformation."""
    rows = platform.query(
        "SELECT idno, transformed_at FROM transformed_data WHERE substr(idno, 2, 6) = ANY(:prefixes)",
        prefixes=[f"{int(cohort) - 2000:03d}998" for cohort in BACKFILLED_COHORTS if cohort != BROKEN],
    )
    return sorted(map(str, rows))


def test_command_transforms_stale_records_and_reports_if_there_are_none(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    put(platform, [COMMAND_COHORT], start=0)
    arguments = ["retransform", "--home", str(platform.home.path), "--cohort", COMMAND_COHORT]
    command = [sys.executable, "-m", "stack.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{COMMAND_COHORT}: success" in done.stderr
    assert records(platform, COMMAND_COHORT) == COMPANIES

    assert main(arguments) == 0
    assert capsys.readouterr().out == "no record is stale\n"


def test_failed_cohort_does_not_affect_others_and_is_retried_alone(
    platform: Platform, backfill_id: str
) -> None:
    statuses = _wait_for_backfill(platform, backfill_id)

    assert {name: status for name, (status, _) in statuses.items()} == {
        **dict.fromkeys(BACKFILLED_COHORTS, "SUCCESS"),
        BROKEN: "FAILURE",
    }
    assert {cohort: records(platform, cohort) for cohort in BACKFILLED_COHORTS} == {
        **dict.fromkeys(BACKFILLED_COHORTS, COMPANIES),
        BROKEN: 0,
    }
    failed = platform.run(statuses[BROKEN][1])
    assert "12 of 12 captures could not be transformed" in str(failed)

    owner = platform.engine(database_roles.WAREHOUSE_OWNER, database_roles.WAREHOUSE_DATABASE)
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE transformed_data DROP CONSTRAINT broken")
    before = stored_records(platform)
    answer = platform.graphql(_RETRY, params={"parentRunId": statuses[BROKEN][1], "strategy": "ALL_STEPS"})[
        "launchRunReexecution"
    ]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    assert platform.finished_run(answer["run"]["runId"])["status"] == "SUCCESS"
    assert records(platform, BROKEN) == COMPANIES
    assert stored_records(platform) == before


def _launch_backfill(platform: Platform) -> str:
    """Launch a backfill of all cohorts and return its id."""
    params = {
        "selector": {
            "partitionSetName": f"{RETRANSFORM_JOB}_partition_set",
            "repositorySelector": {
                "repositoryLocationName": CODE_LOCATION,
                "repositoryName": REPOSITORY,
            },
        },
        "partitionNames": BACKFILLED_COHORTS,
    }
    launched = platform.graphql(_BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    backfill_id: str = launched["backfillId"]
    return backfill_id


def _wait_for_backfill(platform: Platform, backfill_id: str) -> dict[str, tuple[str, str]]:
    """Wait for the end of a backfill. Return the status and the run of each cohort."""

    def finished_results() -> list[dict[str, Any]] | None:
        progress = platform.graphql(_PROGRESS, id=backfill_id)["partitionBackfillOrError"]
        results = [dict(result) for result in progress["partitionStatuses"]["results"]]
        statuses = {result["runStatus"] for result in results}
        return (
            results
            if len(results) == len(BACKFILLED_COHORTS) and statuses <= {"SUCCESS", "FAILURE"}
            else None
        )

    results = wait_for("the end of the backfill", finished_results, seconds=240)
    return {result["partitionName"]: (result["runStatus"], result["runId"]) for result in results}
