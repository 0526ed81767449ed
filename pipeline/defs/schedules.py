"""The schedules. All are visible in Dagster, and every tick that launches nothing says why.

They work where REGISTRU_SCHEDULES is on; until then they tick, and say so.
"""

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

SWEEP_EVERY = timedelta(days=7)
_UNDER_WAY = [
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
    description="Every hour: visit the tracked companies that are due, most overdue first (REGISTRU_SCHEDULES=on).",
)
def refresh_tracked_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse, redis: RedisStores
) -> RunRequest | SkipReason:
    """Launch a refresh, if there is something to do and nobody at it."""
    site_host = urlsplit(pipeline_settings().site_url).netloc
    if reason := _kept_back(context, refresh_tracked.name) or _paused(redis, site_host):
        return SkipReason(reason)
    with warehouse.transaction() as connection:
        if not is_any_due(connection):
            return SkipReason("no tracked company is due")
    return RunRequest(run_config=REFRESH_CONFIG, tags=run_tags(RunKind.BULK))


@schedule(
    job=sweep_register,
    # Every hour, so that a sweep that was interrupted or paused goes on; one that is over rests for SWEEP_EVERY.
    cron_schedule="35 * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a week: walk the site's list of companies; every hour: go on with a walk that was interrupted"
    " (REGISTRU_SCHEDULES=on).",
)
def sweep_register_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse, redis: RedisStores
) -> RunRequest | SkipReason:
    """Launch a sweep, if the last one is a week ago or has not come to its end."""
    if reason := _kept_back(context, sweep_register.name):
        return SkipReason(reason)
    settings = pipeline_settings()
    with warehouse.transaction() as connection:
        try:
            source = list_url(connection, site_url=settings.site_url, api_url=settings.api_url)
        except ApiAddressUnknown as unknown:
            return SkipReason(str(unknown))
        last = newest_sweep(connection, source)
    if last is not None and last.finished_at is not None:
        next_at = last.finished_at + SWEEP_EVERY
        if next_at > datetime.now(UTC):
            return SkipReason(
                f"the list was last walked to its end at {_told(last.finished_at)}, next at {_told(next_at)}"
            )
    if reason := _paused(redis, urlsplit(source).netloc):
        return SkipReason(reason)
    return RunRequest(tags=run_tags(RunKind.BULK))


@schedule(
    job=retransform_companies,
    cron_schedule="15 2 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night: transform again what is stale, a run for each cohort that has any"
    " (REGISTRU_SCHEDULES=on).",
)
def retransform_companies_schedule(
    context: ScheduleEvaluationContext, warehouse: Warehouse
) -> Iterator[RunRequest | SkipReason]:
    """Launch a re-transformation of each cohort that is stale, and of no other."""
    if reason := _kept_back(context, retransform_companies.name):
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
    description="Every morning: look over the stored tables (REGISTRU_SCHEDULES=on).",
)
def check_records_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Launch the checks."""
    reason = _kept_back(context, check_records.name)
    return SkipReason(reason) if reason else RunRequest(tags=run_tags(RunKind.BULK))


@schedule(
    job=tidy,
    cron_schedule="45 3 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night: let go of what retention keeps no longer (REGISTRU_SCHEDULES=on).",
)
def tidy_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Launch the tidying."""
    reason = _kept_back(context, tidy.name)
    return SkipReason(reason) if reason else RunRequest(tags=run_tags(RunKind.BULK))


def _kept_back(context: ScheduleEvaluationContext, job_name: str) -> str | None:
    """Why this is no time for a run of a job, whatever there is to do."""
    if not pipeline_settings().schedules:
        return "schedules are off; REGISTRU_SCHEDULES=on lets them work"
    under_way = context.instance.get_runs(RunsFilter(job_name=job_name, statuses=_UNDER_WAY), limit=1)
    if under_way:
        return f"run {under_way[0].run_id} of {job_name} is {under_way[0].status.value.lower()}"
    return None


def _paused(redis: RedisStores, host: str) -> str | None:
    pause = current_pauses(redis.state).get(host)
    if pause is None or pause.until <= datetime.now(UTC):
        return None
    return f"{host} is left alone until {_told(pause.until)}: {pause.reason}"


def _told(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
