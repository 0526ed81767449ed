"""The contract between the pipeline and the API: names of jobs, assets, tags and Redis keys, enums, run config.

Both packages import these names, so neither has to import the other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

SCRAPE_JOB = "scrape_companies"
SWEEP_JOB = "sweep_register"
REFRESH_JOB = "refresh_tracked"
CHECK_JOB = "check_records"
RETRANSFORM_JOB = "retransform_companies"
TIDY_JOB = "tidy"
CODE_LOCATION = "registru"
REPOSITORY = "__repository__"

SOURCE_DATA_ASSET = "source_data"
TRANSFORMED_DATA_ASSET = "transformed_data"

ENDED_STATUSES = ("SUCCESS", "FAILURE", "CANCELED")
"""The statuses of runs that have ended, as Dagster stores them."""

IDNO_TAG = "registru/idno"
LAUNCH_ID_TAG = "registru/launch_id"
"""The tag with the id of a launch. If Dagster's answer to the launch was lost, the API finds the run by this tag."""
REQUEST_ID_TAG = "registru/request_id"
"""The tag with the ids of the requests (or of the batch) that a run was launched for, separated by commas."""
TRACEPARENT_TAG = "registru/traceparent"
"""The tag that identifies the span in which a run was launched, as a W3C traceparent."""
KIND_TAG = "registru/kind"
REQUESTED_BY_TAG = "registru/requested_by"
MAX_RUNTIME_TAG = "dagster/max_runtime"
PRIORITY_TAG = "dagster/priority"

USER_HEADER = "X-Registru-User"
"""The header with the username. The gateway gets it from the API and forwards it to Dagster's webservers."""
ROLE_HEADER = "X-Registru-Role"
SCOPES_HEADER = "X-Registru-Scopes"
"""The header with the user's scopes, separated by spaces. They decide which of Dagster's two web UIs is served."""
KEY_HEADER = "X-Registru-Key"
"""The header with the key of the gateway and the API. Dagster's webservers refuse requests without this key."""


class Outcome(StrEnum):
    """The outcome of one visit. Only captures with `ok` are transformed."""

    OK = "ok"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    NETWORK_ERROR = "network_error"
    BROWSER_ERROR = "browser_error"
    WRONG_PAGE = "wrong_page"
    INCOMPLETE = "incomplete"


class RunKind(StrEnum):
    """The kind of a run. Runs for a single request come before bulk work, in Dagster's queue and at the site."""

    PERSON = "person"
    BULK = "bulk"


PRIORITIES = {RunKind.PERSON: 10, RunKind.BULK: -10}
"""Priorities in Dagster's run queue; higher ones start first."""


class RunResult(StrEnum):
    """The result of a run for one of its companies."""

    CAPTURED = "captured"
    """The company was visited. The result names the capture of the last attempt, whatever the outcome was."""
    SKIPPED = "skipped"
    """Not visited, because another run captured the company after the request. The result names that capture."""
    DEFERRED = "deferred"
    """Not visited, because the site is paused. The result names the end of the pause."""


STALE = "stale"
"""The selection of stale records in the config of TRANSFORMED_DATA_ASSET."""
RUN_EVENTS_CHANNEL = "events:runs"
"""Redis channel (state database): a run publishes its id each time it has finished a company."""
PAUSES_KEY = "pauses"
"""Redis hash (state database): a paused host → JSON {"until": seconds since 1970, "reason": …}."""
COUNTERS_KEY = "metrics:counters"
"""Redis hash (state database): the counters of runs (`telemetry.tallies`), one field for each counter."""
GAUGES_KEY = "metrics:gauges"
"""Redis hash (state database): gauges that runs set from their settings, by the name of the metric."""
BROWSERS_KEY = "metrics:browsers"
"""Redis sorted set (state database): the runs that use a browser. The score is the time when an entry expires."""


def scrape_run_config(idnos: Sequence[str], *, since: datetime | None = None) -> dict[str, Any]:
    """Return the run config of SCRAPE_JOB for these companies.

    The run skips a company that has a good capture newer than `since` (default: the start of the run).
    """
    config: dict[str, Any] = {"idnos": list(idnos)}
    if since is not None:
        config["since"] = since.isoformat()
    return {"ops": {SOURCE_DATA_ASSET: {"config": config}}}


def retransform_run_config(cohort: str) -> dict[str, Any]:
    """Return the run config of RETRANSFORM_JOB for the stale records of a cohort."""
    return {"ops": {TRANSFORMED_DATA_ASSET: {"config": {"select": STALE, "cohort": cohort}}}}


def execution_params(job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the ExecutionParams that launch a run of a job through Dagster's GraphQL API."""
    return {
        "selector": {
            "repositoryLocationName": CODE_LOCATION,
            "repositoryName": REPOSITORY,
            "jobName": job,
        },
        "runConfigData": run_config,
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }


def kind_of_config(run_config: Mapping[str, Any]) -> RunKind:
    """Return the kind of a run with this config: PERSON if it names exactly one company, else BULK."""
    config = ((run_config.get("ops") or {}).get(SOURCE_DATA_ASSET) or {}).get("config") or {}
    return RunKind.PERSON if len(config.get("idnos") or ()) == 1 else RunKind.BULK


def run_tags(kind: RunKind) -> dict[str, str]:
    """Return the tags that set the kind and the priority of a run."""
    return {KIND_TAG: str(kind), PRIORITY_TAG: str(PRIORITIES[kind])}
