"""When the schedules launch a run, and what they say when they do not."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from dagster import DagsterRunStatus, build_schedule_context
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from pipeline.definitions import defs
from pipeline.defs.resources import RedisStores, Warehouse
from pipeline.records.capture_store import store_capture
from pipeline.register.listing import ListedCompany
from pipeline.register.sweeps import open_sweep
from pipeline.register.tracking import track
from standin.site_facts import make_idno, with_check_digit
from tests.pipeline.dagster_in_process import Inside
from tests.pipeline.records.records_harness import Made
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


@pytest.fixture
def on(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Schedules that work, a company that is due."""
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", 40)
    inside.set(schedules="on")
    _track(inside, due_at=NOW)
    return inside


def _track(inside: Inside, *, due_at: datetime) -> None:
    company = ListedCompany(make_idno(3710), "FIRMA", "SRL", True, None)
    with inside.databases.warehouse() as connection:
        sweep = open_sweep(connection, "another list", page_size=1, restart=True)
        track(connection, [company], sweep_id=sweep.id, page=0, seen_at=due_at)


def _put_capture(inside: Inside, number: int) -> None:
    """Store a capture of a company of the cohort, which nobody has transformed."""
    idno = with_check_digit(f"1028996{number:05d}")
    with inside.databases.warehouse() as connection:
        store_capture(connection, Made(idno).capture(NOW), run_id="a run", requested_by=None)


def _tick(inside: Inside, schedule: str) -> ScheduleExecutionData:
    resources = {"warehouse": Warehouse(), "redis": RedisStores()}
    with build_schedule_context(
        instance=inside.instance, resources=resources, repository_def=defs.get_repository_def()
    ) as context:
        return defs.get_schedule_def(schedule).evaluate_tick(context)


def _skipped(inside: Inside, schedule: str) -> str:
    tick = _tick(inside, schedule)
    assert not tick.run_requests
    assert tick.skip_message
    return str(tick.skip_message)


@ALL
def test_schedules_that_are_off_tick_and_say_so(on: Inside, schedule: str) -> None:
    on.set(schedules="")
    assert "REGISTRU_SCHEDULES=on" in _skipped(on, schedule)


def test_what_is_due_is_refreshed_as_bulk_work(on: Inside) -> None:
    [request] = _tick(on, REFRESH).run_requests or []
    assert request.run_config == {"ops": {"source_data": {"config": {"select": "due"}}}}
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_the_list_is_swept_when_it_never_was(on: Inside) -> None:
    [request] = _tick(on, SWEEP).run_requests or []
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_nothing_due_launches_nothing(on: Inside) -> None:
    on.query("UPDATE tracked_companies SET due_at = now() + interval '1 hour' RETURNING idno")
    assert _skipped(on, REFRESH) == "no tracked company is due"


@ALL
@pytest.mark.parametrize(
    "status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
)
def test_a_run_that_is_under_way_is_not_joined_by_another(
    on: Inside, schedule: str, status: DagsterRunStatus
) -> None:
    job = defs.get_job_def(JOBS[schedule])
    run_config = retransform_run_config(COHORT) if schedule == RETRANSFORM else job.run_config or {}
    run = on.instance.create_run_for_job(job, run_config=run_config, status=status)
    said = _skipped(on, schedule)
    assert run.run_id in said
    assert status.value.lower() in said


@BOTH
def test_a_site_that_is_left_alone_is_not_asked(on: Inside, schedule: str) -> None:
    until = NOW + timedelta(hours=1)
    pause = json.dumps({"until": until.timestamp(), "reason": "challenges"})
    for url in (on.site.url, on.site.api_url):
        on.redis.hset(PAUSES_KEY, urlsplit(url).netloc, pause)
    assert f"is paused until {until.isoformat(timespec='seconds')}: challenges" in _skipped(on, schedule)


@BOTH
def test_a_pause_that_is_over_keeps_nobody_back(on: Inside, schedule: str) -> None:
    pause = json.dumps({"until": NOW.timestamp() - 1, "reason": "challenges"})
    for url in (on.site.url, on.site.api_url):
        on.redis.hset(PAUSES_KEY, urlsplit(url).netloc, pause)
    assert _tick(on, schedule).run_requests


def test_an_unfinished_sweep_is_gone_on_with_at_the_next_tick(on: Inside) -> None:
    on.sweep(page_size=10, max_pages=1)
    assert _tick(on, SWEEP).run_requests


def test_a_finished_sweep_rests_for_a_week(on: Inside) -> None:
    on.sweep(page_size=10)
    assert "the last sweep of the list finished at" in _skipped(on, SWEEP)

    on.query("UPDATE sweeps SET finished_at = finished_at - interval '7 days' RETURNING id")
    assert _tick(on, SWEEP).run_requests


def test_where_the_list_is_unknown_the_tick_says_what_to_set(on: Inside) -> None:
    on.set(api_url="")
    assert "REGISTRU_API_URL" in _skipped(on, SWEEP)


def test_every_stale_cohort_gets_a_run_of_its_own_and_no_other_does(on: Inside) -> None:
    _put_capture(on, 0)
    cohorts = {request.partition_key for request in _tick(on, RETRANSFORM).run_requests or []}
    assert COHORT in cohorts

    result = defs.get_job_def(RETRANSFORM_JOB).execute_in_process(
        retransform_run_config(COHORT), instance=on.instance
    )
    assert result.success
    requests = _tick(on, RETRANSFORM).run_requests or []
    assert {request.partition_key for request in requests} == cohorts - {COHORT}


def test_a_retransformation_is_bulk_work_with_its_cohort_as_config(on: Inside) -> None:
    _put_capture(on, 1)
    [request] = [each for each in _tick(on, RETRANSFORM).run_requests or [] if each.partition_key == COHORT]
    assert request.run_config == retransform_run_config(COHORT)
    assert (request.tags[KIND_TAG], request.tags[PRIORITY_TAG]) == ("bulk", "-10")


def test_the_stored_tables_are_looked_over(on: Inside) -> None:
    [request] = _tick(on, CHECK).run_requests or []
    assert request.tags[KIND_TAG] == "bulk"
