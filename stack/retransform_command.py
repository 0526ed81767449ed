"""`registru retransform`: a run of Dagster for each cohort that is stale, watched to its end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from api.dagster.dagster_client import LAUNCH, STATUSES
from pipeline.records.capture_store import stale_cohorts
from stack import postgres
from stack.home import Home, Running
from stack.ports import LOOPBACK
from stack.processes import DAGSTER_PATH
from stack.secrets import Secrets, load_or_create
from stack.stack_error import StackError
from warehouse.contract import (
    KEY_HEADER,
    RETRANSFORM_JOB,
    RunKind,
    execution_params,
    retransform_run_config,
    run_tags,
)
from warehouse.schema import database_roles

PARTITION_TAG = "dagster/partition"
_POLL_SECONDS = 0.5
_OVER = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class CohortRun:
    """What became of a cohort's run: Dagster's status of it."""

    cohort: str
    run_id: str
    status: str


def retransform(home: Home, cohorts: Sequence[str], *, say: Callable[[str], None]) -> list[CohortRun]:
    """Transform again what is stale, of these cohorts or of all, and return what became of each run.

    Raises StackError if nothing runs at this home, or Dagster does not launch.
    """
    platform = Running.of(home)
    secrets = load_or_create(home.secrets)
    stale = _stale(platform, secrets)
    chosen = [cohort for cohort in stale if not cohorts or cohort in cohorts]
    with httpx.Client(
        base_url=f"http://{LOOPBACK}:{platform.ports['dagster']}",
        headers={KEY_HEADER: secrets.dagster},
        trust_env=False,
        timeout=90,
    ) as http:
        launched = {_launch(http, cohort): cohort for cohort in chosen}
        for run_id, cohort in launched.items():
            say(f"{cohort}: run {run_id}")
        return _watched(http, launched, say)


def _stale(platform: Running, secrets: Secrets) -> list[str]:
    url = postgres.url(
        platform.ports["postgres"],
        secrets,
        role=database_roles.PIPELINE,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return stale_cohorts(connection)


def _launch(http: httpx.Client, cohort: str) -> str:
    tags = {PARTITION_TAG: cohort, **run_tags(RunKind.BULK)}
    params = execution_params(RETRANSFORM_JOB, retransform_run_config(cohort), tags)
    answer = _ask(http, LAUNCH, {"params": params})["launchRun"]
    if answer["__typename"] != "LaunchRunSuccess":
        reasons = [each["message"] for each in answer.get("errors", [answer])]
        raise StackError(f"Dagster does not launch the cohort {cohort}: {'; '.join(reasons)}")
    return str(answer["run"]["runId"])


def _watched(http: httpx.Client, launched: dict[str, str], say: Callable[[str], None]) -> list[CohortRun]:
    done: dict[str, CohortRun] = {}
    while len(done) < len(launched):
        waiting = [run_id for run_id in launched if run_id not in done]
        answer = _ask(http, STATUSES, {"filter": {"runIds": waiting}})["runsOrError"]
        for run in answer.get("results", []):
            if run["status"] in _OVER:
                over = CohortRun(launched[run["runId"]], run["runId"], run["status"])
                done[over.run_id] = over
                say(f"{over.cohort}: {over.status.lower()}")
        if len(done) < len(launched):
            time.sleep(_POLL_SECONDS)
    return sorted(done.values(), key=lambda run: run.cohort)


def _ask(http: httpx.Client, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(f"{DAGSTER_PATH}/graphql", json={"query": query, "variables": variables})
    answer.raise_for_status()
    content = answer.json()
    if content.get("errors"):
        raise StackError(f"Dagster answered with an error: {content['errors'][0].get('message')}")
    return dict(content["data"])
