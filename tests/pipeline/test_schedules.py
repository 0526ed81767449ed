"""Tests of the schedules: when they launch a run, and the reason they give when they skip."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from dagster import DagsterInstance, DagsterRunStatus, build_schedule_context
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from pipeline.definitions import defs
from pipeline.defs.resources import RedisStores, Warehouse
from pipeline.records.capture_store import store_capture
from pipeline.register.listing import ListedCompany
from pipeline.register.sweeps import open_sweep
from pipeline.register.tracking import track
from standin.site_facts import make_idno, with_check_digit
from tests.pipeline.dagster_in_process import InProcessDagster
from tests.pipeline.records.records_harness import CaptureSpec
from warehouse.contract import (
    CHECK_JOB,
    KIND_TAG,
    PAUSES_KEY,
    PRIORITY_TAG,
    REFRESH_JOB,
    RETRANSFORM_JOB,
    SWEEP_JOB,
    TIDY_JOB,
    retransform_run_config,
)

REFRESH, SWEEP = "refresh_tracked_schedule", "sweep_register_schedule"
RETRANSFORM, CHECK = "retransform_companies_schedule", "check_records_schedule"
TIDY = "tidy_schedule"
JOBS = {
    REFRESH: REFRESH_JOB,
    SWEEP: SWEEP_JOB,
    RETRANSFORM: RETRANSFORM_JOB,
    CHECK: CHECK_JOB,
    TIDY: TIDY_JOB,
}
BOTH = pytest.mark.parametrize("schedule", [REFRESH, SWEEP])
ALL = pytest.mark.parametrize("schedule", JOBS)
COHORT = "2028"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def persistent_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def instance(persistent_instance: DagsterInstance) -> DagsterInstance:
    """An empty instance on the disk, because a schedule opens the instance again to evaluate a tick."""
    persistent_instance.wipe()
    return persistent_instance


@pytest.fixture
def enabled(in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch) -> InProcessDagster:
    """Enabled schedules and a tracked company that is due."""
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", 40)
    in_process.set(schedules="on")
    _track(in_process, due_at=NOW)
    return in_process


def _track(in_process: InProcessDagster, *, due_at: datetime) -> None:
    company = ListedCompany(make_idno(3710), "FIRMA", "SRL", True, None)
    with in_process.databases.warehouse() as connection:
        sweep = open_sweep(connection, "another list", page_size=1, restart=True)
        track(connection, [company], sweep_id=sweep.id, page=0, seen_at=due_at)


def _put_capture(in_process: InProcessDagster, number: int) -> None:
    """Store a pending capture of a company of the cohort."""
    idno = with_check_digit(f"1028996{number:05d}")
    with in_process.databases.warehouse() as connection:
        store_capture(connection, CaptureSpec(idno).capture(NOW), run_id="a run", requested_by=None)


def _tick(in_process: InProcessDagster, schedule: str) -> ScheduleExecutionData:
    resources = {"warehouse": Warehouse(), "redis": RedisStores()}
    with build_schedule_context(
        instance=in_process.instance, resources=resources, repository_def=defs.get_repository_def()
    ) as context:
        return defs.resolve_schedule_def(schedule).evaluate_tick(context)


def _skip_reason(in_process: InProcessDagster, schedule: str) -> str:
    tick = _tick(in_process, schedule)
    assert not tick.run_requests
    assert tick.skip_message
    return str(tick.skip_message)


@ALL
def test_disabled_schedule_skips_and_names_the_setting(enabled: InProcessDagster, schedule: str) -> None:
    enabled.set(schedules="")
    assert "REGISTRU_SCHEDULES=on" in _skip_reason(enabled, schedule)


def test_due_companies_are_refreshed_as_bulk_work(enabled: InProcessDagster) -> None:
    [request] = _tick(enabled, REFRESH).run_requests or []
    assert request.run_config == {"ops": {"source_data": {"config": {"select": "due"}}}}
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_list_without_a_sweep_is_swept(enabled: InProcessDagster) -> None:
    [request] = _tick(enabled, SWEEP).run_requests or []
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_refresh_skips_if_no_company_is_due(enabled: InProcessDagster) -> None:
    enabled.query("UPDATE tracked_companies SET due_at = now() + interval '1 hour' RETURNING idno")
    assert _skip_reason(enabled, REFRESH) == "no tracked company is due"


@ALL
@pytest.mark.parametrize(
    "status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
)
def test_schedule_skips_while_a_run_of_its_job_is_active(
    enabled: InProcessDagster, schedule: str, status: DagsterRunStatus
) -> None:
    job = defs.resolve_job_def(JOBS[schedule])
    run_config = retransform_run_config(COHORT) if schedule == RETRANSFORM else job.run_config or {}
    run = enabled.instance.create_run_for_job(job, run_config=run_config, status=status)
    reason = _skip_reason(enabled, schedule)
    assert run.run_id in reason
    assert status.value.lower() in reason


@BOTH
def test_schedule_skips_while_the_site_is_paused(enabled: InProcessDagster, schedule: str) -> None:
    until = NOW + timedelta(hours=1)
    pause = json.dumps({"until": until.timestamp(), "reason": "challenges"})
    for url in (enabled.site.url, enabled.site.api_url):
        enabled.redis.hset(PAUSES_KEY, urlsplit(url).netloc, pause)
    assert f"is paused until {until.isoformat(timespec='seconds')}: challenges" in _skip_reason(
        enabled, schedule
    )


@BOTH
def test_schedule_launches_after_the_end_of_a_pause(enabled: InProcessDagster, schedule: str) -> None:
    pause = json.dumps({"until": NOW.timestamp() - 1, "reason": "challenges"})
    for url in (enabled.site.url, enabled.site.api_url):
        enabled.redis.hset(PAUSES_KEY, urlsplit(url).netloc, pause)
    assert _tick(enabled, schedule).run_requests


def test_next_tick_continues_an_unfinished_sweep(enabled: InProcessDagster) -> None:
    enabled.sweep(page_size=10, max_pages=1)
    assert _tick(enabled, SWEEP).run_requests


def test_finished_sweep_is_repeated_after_a_week(enabled: InProcessDagster) -> None:
    enabled.sweep(page_size=10)
    assert "the last sweep of the list finished at" in _skip_reason(enabled, SWEEP)

    enabled.query("UPDATE sweeps SET finished_at = finished_at - interval '7 days' RETURNING id")
    assert _tick(enabled, SWEEP).run_requests


def test_sweep_without_an_api_address_skips_and_names_the_setting(enabled: InProcessDagster) -> None:
    enabled.set(api_url="")
    assert "REGISTRU_API_URL" in _skip_reason(enabled, SWEEP)


def test_only_stale_cohorts_get_a_run(enabled: InProcessDagster) -> None:
    _put_capture(enabled, 0)
    cohorts = {request.partition_key for request in _tick(enabled, RETRANSFORM).run_requests or []}
    assert COHORT in cohorts

    result = defs.resolve_job_def(RETRANSFORM_JOB).execute_in_process(
        retransform_run_config(COHORT), instance=enabled.instance
    )
    assert result.success
    requests = _tick(enabled, RETRANSFORM).run_requests or []
    assert {request.partition_key for request in requests} == cohorts - {COHORT}


def test_retransformation_is_bulk_work_with_its_cohort_as_config(enabled: InProcessDagster) -> None:
    _put_capture(enabled, 1)
    requests = _tick(enabled, RETRANSFORM).run_requests or []
    [request] = [request for request in requests if request.partition_key == COHORT]
    assert request.run_config == retransform_run_config(COHORT)
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_checks_of_the_tables_are_launched(enabled: InProcessDagster) -> None:
    [request] = _tick(enabled, CHECK).run_requests or []
    assert request.tags[KIND_TAG] == "bulk"
