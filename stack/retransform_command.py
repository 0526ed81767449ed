"""`registru retransform`: launches a Dagster run for each cohort with stale records and waits for the runs to end."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from api.dagster.dagster_client import (
    ENDED_RUN_STATUSES,
    DagsterClient,
    DagsterUnavailable,
    LaunchRefused,
    LaunchUnclear,
    RunStatus,
)
from pipeline.records.capture_store import stale_cohorts
from stack import postgres
from stack.home import Home, RunningPlatform
from stack.ports import LOOPBACK
from stack.processes import DAGSTER_PATH
from stack.secrets import Secrets, load_or_create
from stack.stack_error import StackError
from warehouse.contract import RETRANSFORM_JOB, RunKind, retransform_run_config, run_tags
from warehouse.schema import database_roles

PARTITION_TAG = "dagster/partition"
_POLL_SECONDS = 0.5
_TIMEOUT_SECONDS = 90


@dataclass(frozen=True)
class CohortRun:
    """The Dagster run that re-transformed a cohort, with the last known status of this run."""

    cohort: str
    run_id: str
    status: RunStatus


def retransform(
    home: Home, cohorts: Sequence[str], *, report_progress: Callable[[str], None]
) -> list[CohortRun]:
    """Transform the stale records of these cohorts again. If no cohort is given, transform those of all cohorts.

    Returns the ended runs, sorted by cohort. Raises StackError if no platform runs at this home, if Dagster does not
    answer, or if Dagster does not launch a run.
    """
    platform = RunningPlatform.of(home)
    secrets = load_or_create(home.secrets)
    stale = _list_stale_cohorts(platform, secrets)
    chosen = [cohort for cohort in stale if not cohorts or cohort in cohorts]
    try:
        return asyncio.run(_run_cohorts(platform, secrets, chosen, report_progress))
    except (DagsterUnavailable, LaunchUnclear) as error:
        raise StackError(str(error)) from error


def _list_stale_cohorts(platform: RunningPlatform, secrets: Secrets) -> list[str]:
    url = postgres.url(
        platform.ports["postgres"],
        secrets,
        role=database_roles.PIPELINE,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return stale_cohorts(connection)


async def _run_cohorts(
    platform: RunningPlatform,
    secrets: Secrets,
    cohorts: Sequence[str],
    report_progress: Callable[[str], None],
) -> list[CohortRun]:
    async with DagsterClient(
        f"http://{LOOPBACK}:{platform.ports['dagster']}{DAGSTER_PATH}",
        key=lambda: secrets.dagster,
        timeout_seconds=_TIMEOUT_SECONDS,
    ) as dagster:
        cohort_by_run = {await _launch(dagster, cohort): cohort for cohort in cohorts}
        for run_id, cohort in cohort_by_run.items():
            report_progress(f"{cohort}: run {run_id}")
        return await _wait_for_runs(dagster, cohort_by_run, report_progress)


async def _launch(dagster: DagsterClient, cohort: str) -> str:
    tags = {PARTITION_TAG: cohort, **run_tags(RunKind.BULK)}
    try:
        return await dagster.launch(RETRANSFORM_JOB, retransform_run_config(cohort), tags)
    except LaunchRefused as refusal:
        raise StackError(
            f"Dagster refused the run for the cohort {cohort}: {'; '.join(refusal.reasons)}"
        ) from refusal


async def _wait_for_runs(
    dagster: DagsterClient, cohort_by_run: Mapping[str, str], report_progress: Callable[[str], None]
) -> list[CohortRun]:
    ended: dict[str, CohortRun] = {}
    while len(ended) < len(cohort_by_run):
        open_run_ids = [run_id for run_id in cohort_by_run if run_id not in ended]
        for run_id, status in (await dagster.statuses(open_run_ids)).items():
            if status in ENDED_RUN_STATUSES:
                ended[run_id] = CohortRun(cohort_by_run[run_id], run_id, status)
                report_progress(f"{cohort_by_run[run_id]}: {status.lower()}")
        if len(ended) < len(cohort_by_run):
            await asyncio.sleep(_POLL_SECONDS)
    return sorted(ended.values(), key=lambda run: run.cohort)
