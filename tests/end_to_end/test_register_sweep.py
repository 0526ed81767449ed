"""Tests of the register sweep and of visits to tracked companies, launched as an analyst does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.register.listing import ListedCompany
from pipeline.register.sweeps import open_sweep
from pipeline.register.tracking import track
from standin.made_up_companies import LISTED_COMPANIES
from standin.site_facts import make_idno
from tests.dagster_web_ui import LAUNCH
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.contract import KIND_TAG, PRIORITY_TAG, REFRESH_JOB, SWEEP_JOB

PAGES, STORED_PAGES = 40, 6
SCHEDULES = """
query { schedulesOrError(repositorySelector: {
  repositoryLocationName: "registru", repositoryName: "__repository__"
}) { ... on Schedules { results { name scheduleState { status } } } } }
"""
DRY_RUN = """
mutation Try($name: String!) { scheduleDryRun(timestamp: 1900000000.0, selectorData: {
  repositoryLocationName: "registru", repositoryName: "__repository__", scheduleName: $name
}) { __typename ... on DryRunInstigationTick { evaluationResult { skipReason error { message } } } } }
"""


def _launch(platform: Platform, job: str, run_config: dict[str, Any]) -> str:
    selector = {
        "repositoryLocationName": "registru",
        "repositoryName": "__repository__",
        "jobName": job,
    }
    params = {"selector": selector, "runConfigData": run_config, "executionMetadata": {"tags": []}}
    answer = platform.graphql(LAUNCH, params=params)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def _sweep(platform: Platform, **config: Any) -> str:
    return _launch(platform, SWEEP_JOB, {"ops": {"walk_register": {"config": config}}})


def _metadata(run: dict[str, Any], asset: str = "tracked_companies") -> dict[str, Any]:
    [materialization] = [
        found for found in run["assetMaterializations"] if found["assetKey"]["path"] == [asset]
    ]
    return {
        entry["label"]: entry.get("intValue", entry.get("text"))
        for entry in materialization["metadataEntries"]
    }


def _list_requests(platform: Platform) -> int:
    return sum(request.path == "/api/companies" for request in platform.site.requests)


def _pages(platform: Platform, run_id: str) -> list[int]:
    rows = platform.query("SELECT page FROM sweep_pages WHERE run_id = :id ORDER BY page", id=run_id)
    return [row["page"] for row in rows]


@pytest.fixture(autouse=True)
def _capture_with_api_address(platform: Platform, user: PlatformUser) -> None:
    """Make sure that there is a capture, in which the sweep finds the address of the site's API."""
    if not platform.query("SELECT 1 FROM source_payloads LIMIT 1"):
        assert user.fetch(make_idno(3600))["state"] == "succeeded"


def test_next_run_continues_a_sweep_that_stopped_after_some_pages(platform: Platform) -> None:
    requests = _list_requests(platform)
    first = platform.finished_run(_sweep(platform, restart=True, max_pages=3))
    second = platform.finished_run(_sweep(platform))

    assert (first["status"], second["status"]) == ("SUCCESS", "SUCCESS")
    assert {tag["key"]: tag["value"] for tag in first["tags"]}.items() >= {
        KIND_TAG: "bulk",
        PRIORITY_TAG: "-10",
    }.items()
    assert (_metadata(first)["pages"], _metadata(second)["pages"]) == (3, 7)
    assert _metadata(first)["seen"] + _metadata(second)["seen"] == LISTED_COMPANIES
    assert _list_requests(platform) == requests + 10
    idnos = [make_idno(number) for number in range(LISTED_COMPANIES)]
    [tracked] = platform.query("SELECT count(*) FROM tracked_companies WHERE idno = ANY(:idnos)", idnos=idnos)
    assert tracked["count"] == LISTED_COMPANIES


@contextmanager
def _sweep_under_way(platform: Platform) -> Iterator[str]:
    """Yield the run of a sweep that has stored some pages and waits for the next. Then the site serves it."""
    platform.site.list_blocked_from = STORED_PAGES
    try:
        run_id = _sweep(platform, restart=True, page_size=LISTED_COMPANIES // PAGES)
        wait_for("some pages", lambda: len(_pages(platform, run_id)) == STORED_PAGES)
        yield run_id
    finally:
        platform.site.list_blocked_from = None


def test_next_run_continues_a_killed_sweep(platform: Platform) -> None:
    with _sweep_under_way(platform) as killed:
        worker = platform.worker(killed)
        worker.kill()
        worker.wait(20)
    assert _pages(platform, killed) == list(range(STORED_PAGES))

    resumed = _sweep(platform)
    assert platform.finished_run(resumed)["status"] == "SUCCESS"
    assert _pages(platform, resumed) == list(range(STORED_PAGES, PAGES))


def test_cancelled_sweep_ends_immediately_and_a_later_run_continues_it(platform: Platform) -> None:
    with _sweep_under_way(platform) as cancelled:
        platform.terminate(cancelled)
        assert platform.finished_run(cancelled)["status"] == "CANCELED"
    assert _pages(platform, cancelled) == list(range(STORED_PAGES))

    resumed = _sweep(platform, max_pages=1)
    assert platform.finished_run(resumed)["status"] == "SUCCESS"
    assert _pages(platform, resumed) == [STORED_PAGES]


def test_refresh_visits_the_most_overdue_companies_first(platform: Platform) -> None:
    overdue = [make_idno(number) for number in range(700, 703)]
    listed = [ListedCompany(idno, "FIRMA", "SRL", True, None) for idno in overdue]
    with platform.warehouse() as connection:
        sweep = open_sweep(connection, "another list", page_size=1, restart=True)
        track(connection, listed, sweep_id=sweep.id, page=0, seen_at=datetime.now(UTC))
        for days, idno in enumerate(overdue):
            connection.exec_driver_sql(
                "UPDATE tracked_companies SET due_at = timestamptz '2020-01-01' + %s * interval '1 day'"
                " WHERE idno = %s",
                (days, idno),
            )
    config = {"ops": {"source_data": {"config": {"select": "due", "limit": 2}}}}
    run_id = _launch(platform, REFRESH_JOB, config)

    assert platform.finished_run(run_id)["status"] == "SUCCESS"
    rows = platform.query("SELECT idno FROM source_data WHERE run_id = :id", id=run_id)
    assert {row["idno"] for row in rows} == set(overdue[:2])
    fresh = platform.query(
        "SELECT idno FROM tracked_companies WHERE idno = ANY(:idnos) AND captured_at IS NOT NULL"
        " AND due_at > now() + interval '29 days'",
        idnos=overdue,
    )
    assert {row["idno"] for row in fresh} == set(overdue[:2])
    assert platform.query("SELECT 1 FROM transformed_data WHERE idno = :idno", idno=overdue[0])


def test_failed_companies_can_be_selected_and_visited_again(platform: Platform) -> None:
    failed = make_idno(3610)  # in the cohort 2023, where no other company fails
    with platform.warehouse() as connection:
        connection.exec_driver_sql(
            "INSERT INTO source_data (idno, url, outcome, fetched_at, duration_ms, run_id)"
            " VALUES (%s, 'http://127.0.0.1/', 'timeout', now(), 1, 'an earlier run')",
            (failed,),
        )
    config = {"ops": {"source_data": {"config": {"select": "failed", "cohort": int(failed[1:4]) + 2000}}}}
    answer = platform.launch(config)
    run_id = answer["run"]["runId"]

    assert platform.finished_run(run_id)["status"] == "SUCCESS"
    rows = platform.query("SELECT idno, outcome FROM source_data WHERE run_id = :id", id=run_id)
    assert [(row["idno"], row["outcome"]) for row in rows] == [(failed, "ok")]


def test_invalid_selection_is_refused_before_a_visit(platform: Platform) -> None:
    config = {"select": "due", "idnos": [make_idno(1)]}
    requests = len(platform.site.requests)
    answer = platform.launch({"ops": {"source_data": {"config": config}}})

    error = str(answer)
    if answer["__typename"] == "LaunchRunSuccess":
        run = platform.finished_run(answer["run"]["runId"])
        assert run["status"] == "FAILURE"
        error = str(run["eventConnection"])
    assert "one of the two is allowed" in error
    assert len(platform.site.requests) == requests


@pytest.mark.parametrize("name", ["refresh_tracked_schedule", "sweep_register_schedule"])
def test_disabled_schedules_are_visible_and_give_their_reason(platform: Platform, name: str) -> None:
    found = platform.graphql(SCHEDULES)["schedulesOrError"]["results"]
    assert {"name": name, "scheduleState": {"status": "RUNNING"}} in found

    tick = platform.graphql(DRY_RUN, name=name)["scheduleDryRun"]["evaluationResult"]
    assert tick["error"] is None
    assert "REGISTRU_SCHEDULES=on" in tick["skipReason"]
