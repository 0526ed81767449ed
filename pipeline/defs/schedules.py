"""The schedules. They launch runs only if REGISTRU_SCHEDULES is on. A tick that launches no run states the reason."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from dagster import (
    DagsterRunStatus,
    DefaultScheduleStatus,
    RunRequest,
    RunsFilter,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)

from pipeline.defs.jobs import (
    REFRESH_CONFIG,
    check_records,
    refresh_tracked,
    retransform_companies,
    sweep_register,
    tidy,
)
from pipeline.defs.resources import RedisStores, Warehouse
from pipeline.extract.site_throttle import current_pauses
from pipeline.records.capture_store import stale_cohorts
from pipeline.register.address import ApiAddressUnknown, list_url
from pipeline.register.sweeps import newest_sweep
from pipeline.register.tracking import is_any_due
from pipeline.settings import pipeline_settings
from warehouse.contract import RunKind, retransform_run_config, run_tags

SWEEP_INTERVAL = timedelta(days=7)
_ACTIVE = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


@schedule(
    job=refresh_tracked,
    cron_schedule="5 * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every hour: visit the tracked companies that are due, the most overdue first"
    " (REGISTRU_SCHEDULES=on).",
)
def refresh_tracked_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse, redis: RedisStores
) -> RunRequest | SkipReason:
    """Launch a refresh if a tracked company is due."""
    site_host = urlsplit(pipeline_settings().site_url).netloc
    if reason := _reason_to_skip(context, refresh_tracked.name) or _pause_reason(redis, site_host):
        return SkipReason(reason)
    with warehouse.transaction() as connection:
        if not is_any_due(connection):
            return SkipReason("no tracked company is due")
    return RunRequest(run_config=REFRESH_CONFIG, tags=run_tags(RunKind.BULK))


@schedule(
    job=sweep_register,
    # Every hour, so that an interrupted or paused sweep continues soon. After a finished sweep, the schedule launches
    # no run until SWEEP_INTERVAL has passed.
    cron_schedule="35 * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a week: walk through the site's list of companies. Every hour: continue a sweep that was"
    " interrupted (REGISTRU_SCHEDULES=on).",
)
def sweep_register_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse, redis: RedisStores
) -> RunRequest | SkipReason:
    """Launch a sweep if there was none, if the last one is unfinished, or if it finished at least a week ago."""
    if reason := _reason_to_skip(context, sweep_register.name):
        return SkipReason(reason)
    settings = pipeline_settings()
    with warehouse.transaction() as connection:
        try:
            source = list_url(connection, site_url=settings.site_url, api_url=settings.api_url)
        except ApiAddressUnknown as unknown:
            return SkipReason(str(unknown))
        last = newest_sweep(connection, source)
    if last is not None and last.finished_at is not None:
        next_at = last.finished_at + SWEEP_INTERVAL
        if next_at > datetime.now(UTC):
            return SkipReason(
                f"the last sweep of the list finished at {_format(last.finished_at)}; the next is due at"
                f" {_format(next_at)}"
            )
    if reason := _pause_reason(redis, urlsplit(source).netloc):
        return SkipReason(reason)
    return RunRequest(tags=run_tags(RunKind.BULK))


@schedule(
    job=retransform_companies,
    cron_schedule="15 2 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night: transform stale records again, with one run for each cohort that has any"
    " (REGISTRU_SCHEDULES=on).",
)
def retransform_companies_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse
) -> Iterator[RunRequest | SkipReason]:
    """Launch a re-transformation of each cohort that has stale records."""
    if reason := _reason_to_skip(context, retransform_companies.name):
        yield SkipReason(reason)
        return
    with warehouse.transaction() as connection:
        stale = stale_cohorts(connection)
    if not stale:
        yield SkipReason("no record is stale")
    for cohort in stale:
        yield RunRequest(
            partition_key=cohort,
            run_config=retransform_run_config(cohort),
            tags=run_tags(RunKind.BULK),
        )


@schedule(
    job=check_records,
    cron_schedule="15 5 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every morning: check the stored tables (REGISTRU_SCHEDULES=on).",
)
def check_records_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Launch the checks."""
    reason = _reason_to_skip(context, check_records.name)
    return SkipReason(reason) if reason else RunRequest(tags=run_tags(RunKind.BULK))


@schedule(
    job=tidy,
    cron_schedule="45 3 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night: remove what the retention settings no longer keep (REGISTRU_SCHEDULES=on).",
)
def tidy_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Launch the job that applies the retention settings."""
    reason = _reason_to_skip(context, tidy.name)
    return SkipReason(reason) if reason else RunRequest(tags=run_tags(RunKind.BULK))


def _reason_to_skip(context: ScheduleEvaluationContext, job_name: str) -> str | None:
    """Return why no run of a job may start now: schedules are off, or a run of the job is active.

    Return None if a run may start.
    """
    if not pipeline_settings().schedules:
        return "schedules are off; REGISTRU_SCHEDULES=on turns them on"
    active = context.instance.get_runs(RunsFilter(job_name=job_name, statuses=_ACTIVE), limit=1)
    if active:
        return f"run {active[0].run_id} of {job_name} is {active[0].status.value.lower()}"
    return None


def _pause_reason(redis: RedisStores, host: str) -> str | None:
    pause = current_pauses(redis.state).get(host)
    if pause is None or pause.until <= datetime.now(UTC):
        return None
    return f"{host} is paused until {_format(pause.until)}: {pause.reason}"


def _format(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
