"""Names that pipeline and api share: jobs, assets, tags, run config, Redis keys, events, outcomes."""

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

IDNO_TAG = "registru/idno"
LAUNCH_ID_TAG = "registru/launch_id"
"""The API's own id of what it launched, by which a launch without an answer is found again."""
REQUEST_ID_TAG = "registru/request_id"
"""The ids of the requests to the API (or the batch's) that a run was launched for, separated by commas."""
TRACEPARENT_TAG = "registru/traceparent"
"""The span that launched a run, as W3C traceparent."""
KIND_TAG = "registru/kind"
REQUESTED_BY_TAG = "registru/requested_by"
MAX_RUNTIME_TAG = "dagster/max_runtime"
PRIORITY_TAG = "dagster/priority"

USER_HEADER = "X-Registru-User"
"""Who is calling, as the gateway tells Dagster after it has asked the API."""
ROLE_HEADER = "X-Registru-Role"
SCOPES_HEADER = "X-Registru-Scopes"
"""What they may do, separated by spaces; it decides which of Dagster's two web UIs they get."""
KEY_HEADER = "X-Registru-Key"
"""What the gateway and the API show to Dagster's webservers, which serve nobody else."""


class Outcome(StrEnum):
    """What became of one visit. Only `ok` is ever transformed or cached as data."""

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
    """For whom a run works: people who wait always come before bulk work, in the queue and at the site."""

    PERSON = "person"
    BULK = "bulk"


PRIORITIES = {RunKind.PERSON: 10, RunKind.BULK: -10}
"""Of Dagster's queue."""


class RunResult(StrEnum):
    """How a run was done with a company."""

    CAPTURED = "captured"
    """Visited; the capture that counts (after retries) is named, whatever its outcome."""
    SKIPPED = "skipped"
    """Not visited: another run captured it since it was asked for. That capture is named."""
    DEFERRED = "deferred"
    """Not visited: the site is to be left alone until a time that is named."""


STALE = "stale"
"""What the config of TRANSFORMED_DATA_ASSET selects: records that are to be transformed again."""
RUN_EVENTS_CHANNEL = "events:runs"
"""Redis channel (state database): a run id, each time that run is done with a company."""
PAUSES_KEY = "pauses"
"""Redis hash (state database): a host that is left alone → JSON {"until": seconds since 1970, "reason": …}."""
COUNTERS_KEY = "metrics:counters"
"""Redis hash (state database): what runs counted (`telemetry.tallies`), a field a counter."""
GAUGES_KEY = "metrics:gauges"
"""Redis hash (state database): what runs say of their settings, by the metric's name."""
BROWSERS_KEY = "metrics:browsers"
"""Redis sorted set (state database): the runs that have a browser, by until when they may."""


def scrape_run_config(idnos: Sequence[str], *, since: datetime | None = None) -> dict[str, Any]:
    """Run config of the job SCRAPE_JOB for these companies.

    One of which a good capture newer than `since` is held (default: the run's own beginning) is not visited.
    """
    config: dict[str, Any] = {"idnos": list(idnos)}
    if since is not None:
        config["since"] = since.isoformat()
    return {"ops": {SOURCE_DATA_ASSET: {"config": config}}}


def retransform_run_config(cohort: str) -> dict[str, Any]:
    """Run config of the job RETRANSFORM_JOB for what is stale of a cohort."""
    return {"ops": {TRANSFORMED_DATA_ASSET: {"config": {"select": STALE, "cohort": cohort}}}}


def execution_params(job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the ExecutionParams of Dagster's GraphQL for a run of a job."""
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
    """For whom a run with this config works: for a person if it names exactly one company."""
    config = ((run_config.get("ops") or {}).get(SOURCE_DATA_ASSET) or {}).get("config") or {}
    return RunKind.PERSON if len(config.get("idnos") or ()) == 1 else RunKind.BULK


def run_tags(kind: RunKind) -> dict[str, str]:
    """Tags of a run that say for whom it works."""
    return {KIND_TAG: str(kind), PRIORITY_TAG: str(PRIORITIES[kind])}
