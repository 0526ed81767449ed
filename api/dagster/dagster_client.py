"""An asynchronous client of Dagster's GraphQL API, with a timeout on every call."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import httpx

from warehouse.contract import (
    CODE_LOCATION,
    ENDED_STATUSES,
    IDNO_TAG,
    KEY_HEADER,
    KIND_TAG,
    LAUNCH_ID_TAG,
    MAX_RUNTIME_TAG,
    REQUEST_ID_TAG,
    REQUESTED_BY_TAG,
    SCRAPE_JOB,
    TRACEPARENT_TAG,
    RunKind,
    execution_params,
    run_tags,
    scrape_run_config,
)

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 5
_LAUNCH_TIMEOUT_SECONDS = 30
_MAX_HEARTBEAT_AGE_SECONDS = 120
"""A daemon sends a heartbeat every 30 s; Dagster itself reports a daemon as dead only after 30 minutes."""
_NOT_LOADED = "Dagster has not loaded the pipeline's code location"

_HEALTH = """
query Health($location: String!) {
  instance {
    daemonHealth {
      daemonStatus(daemonType: "QUEUED_RUN_COORDINATOR") { lastHeartbeatTime }
      allDaemonStatuses { daemonType required lastHeartbeatTime }
    }
  }
  locationStatusesOrError {
    __typename
    ... on WorkspaceLocationStatusEntries { entries { name loadStatus } }
  }
  workspaceLocationEntryOrError(name: $location) {
    __typename
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } }
  }
}
"""
_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}
"""
_TERMINATE = """
mutation Terminate($run: String!) {
  terminateRun(runId: $run, terminatePolicy: SAFE_TERMINATE) {
    __typename
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}
"""
_STATUSES = """
query Statuses($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    __typename
    ... on Runs { results { runId status } }
    ... on Error { message }
  }
}
"""
_RECENT_RUNS = """
query RecentRuns($open: [RunStatus!], $ended: [RunStatus!], $since: Float!, $limit: Int!) {
  open: runsOrError(filter: {statuses: $open}, limit: $limit) { ...Listed }
  ended: runsOrError(filter: {statuses: $ended, updatedAfter: $since}, limit: $limit) { ...Listed }
}
fragment Listed on RunsOrError {
  __typename
  ... on Runs { results { runId status jobName creationTime startTime endTime updateTime tags { key value } } }
  ... on Error { message }
}
"""


class DagsterUnavailable(RuntimeError):
    """Dagster does not answer, or a part of it that a run needs is down. No run was launched."""


class DagsterFailed(DagsterUnavailable):
    """Dagster answered with an error."""


class LaunchRefused(DagsterFailed):
    """Dagster refused to launch a run, for example because its config is invalid. `reasons` are Dagster's messages."""

    def __init__(self, kind: str, reasons: Sequence[str]) -> None:
        super().__init__(f"Dagster refused the run ({kind})")
        self.reasons = reasons


class LaunchUnclear(RuntimeError):
    """The answer to a launch did not arrive, so the run may or may not exist."""


class RunStatus(StrEnum):
    """The status of a run in Dagster."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


ENDED_RUN_STATUSES = tuple(RunStatus(status) for status in ENDED_STATUSES)
_OPEN_RUN_STATUSES = tuple(status for status in RunStatus if status not in ENDED_RUN_STATUSES)


@dataclass(frozen=True)
class ListedRun:
    """A run as Dagster lists it. Times are in seconds since 1970."""

    run_id: str
    status: RunStatus
    job: str
    kind: str
    created: float
    started: float | None
    ended: float | None


class DagsterClient:
    """A client of Dagster's webserver, used as a context manager.

    Every call raises DagsterUnavailable if Dagster does not answer, and DagsterFailed if it answers with an error.
    """

    def __init__(
        self,
        url: str,
        *,
        key: Callable[[], str],
        run_limit_seconds: int | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """Create a client; it connects with the first call.

        Args:
            url: The webserver's URL, without `/graphql`.
            key: Returns the key that the webserver requires; called before each request, so a new key takes effect.
            run_limit_seconds: Time after which Dagster terminates a run for a single company; None for no limit.
            timeout_seconds: The timeout of one request. A launch gets at least 30 s.
        """
        self._http = httpx.AsyncClient(base_url=url, trust_env=False)
        self._key = key
        self._run_limit_seconds = run_limit_seconds
        self._timeout_seconds = timeout_seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def check(self) -> None:
        """Raise DagsterUnavailable if a run that is launched now could not start."""
        data = await self._read(_HEALTH, {"location": CODE_LOCATION})
        if _is_silent(data["instance"]["daemonHealth"]["daemonStatus"]):
            raise DagsterUnavailable("Dagster's daemon sends no heartbeat")
        if not _is_loaded(data):
            raise DagsterUnavailable(_NOT_LOADED)

    async def parts(self) -> dict[str, str]:
        """Return the health of the webserver, the daemons and the code location: `ok` or the problem."""
        data = await self._read(_HEALTH, {"location": CODE_LOCATION})
        daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        silent = sorted(
            daemon["daemonType"] for daemon in daemons if daemon["required"] and _is_silent(daemon)
        )
        return {
            "dagster": "ok",
            "daemon": f"no heartbeat from {', '.join(silent)}" if silent or not daemons else "ok",
            "code_location": "ok" if _is_loaded(data) else _NOT_LOADED,
        }

    async def list_recent_runs(self, since: float, *, limit: int) -> tuple[list[ListedRun], list[ListedRun]]:
        """Return the open runs, and the runs that ended after `since`; newest first, at most `limit` of each."""
        data = await self._read(
            _RECENT_RUNS,
            {"open": _OPEN_RUN_STATUSES, "ended": ENDED_RUN_STATUSES, "since": since, "limit": limit},
        )
        return _listed_runs(data["open"]), _listed_runs(data["ended"])

    async def launch_scrape(
        self,
        idnos: Sequence[str],
        *,
        launch_id: UUID,
        kind: RunKind,
        requested_by: str,
        since: datetime,
        request_id: str | None = None,
        traceparent: str | None = None,
    ) -> str:
        """Launch a run for companies and return its id.

        If Dagster answers with an error, look for a run with the tag of this launch. If there is none, launch again,
        once.

        Args:
            idnos: The companies.
            launch_id: The API's own id of the launch.
            kind: Whether the run serves single requests or bulk work.
            requested_by: The usernames of the requesters.
            since: A company with a good capture newer than this is not visited.
            request_id: The ids of the requests (or batches) that caused the launch, for the logs.
            traceparent: The span that launches the run, as W3C traceparent.

        Raises:
            DagsterUnavailable: No run was launched.
            LaunchUnclear: A run may have been launched.
        """
        tags = {LAUNCH_ID_TAG: str(launch_id), REQUESTED_BY_TAG: requested_by, **run_tags(kind)}
        origin = {REQUEST_ID_TAG: request_id, TRACEPARENT_TAG: traceparent}
        tags |= {name: value for name, value in origin.items() if value is not None}
        if len(idnos) == 1:
            tags[IDNO_TAG] = idnos[0]
            if self._run_limit_seconds is not None:
                tags[MAX_RUNTIME_TAG] = str(self._run_limit_seconds)
        run_config = scrape_run_config(idnos, since=since)
        try:
            return await self.launch(SCRAPE_JOB, run_config, tags)
        except DagsterFailed:
            # Dagster has answered, so the failed launch is over. After a restart of PostgreSQL the first launch fails
            # on a stale connection, and the second one works.
            try:
                run_id = await self.find_run(launch_id)
            except DagsterUnavailable as error:
                raise LaunchUnclear(str(error)) from error
            return run_id or await self.launch(SCRAPE_JOB, run_config, tags)

    async def launch(self, job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Launch a run of a job and return its id.

        Raises:
            LaunchRefused: Dagster refused the run.
            DagsterUnavailable: No run was launched.
            LaunchUnclear: A run may have been launched.
        """
        params = execution_params(job, run_config, tags)
        timeout_seconds = max(_LAUNCH_TIMEOUT_SECONDS, self._timeout_seconds)
        try:
            data = await self._query(_LAUNCH, {"params": params}, timeout_seconds=timeout_seconds)
        except DagsterFailed:
            raise
        except DagsterUnavailable as error:
            if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                raise
            raise LaunchUnclear(str(error)) from error
        answer = data["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            logger.warning("Dagster refused a run: %s", answer)
            reasons = [str(entry.get("message")) for entry in answer.get("errors", [answer])]
            raise LaunchRefused(answer["__typename"], reasons)
        return str(answer["run"]["runId"])

    async def terminate(self, run_id: str) -> None:
        """Terminate a run. A run that has ended is not changed."""
        answer = (await self._query(_TERMINATE, {"run": run_id}))["terminateRun"]
        if answer["__typename"] != "TerminateRunSuccess":
            logger.info("run %s was not terminated: %s", run_id, answer.get("message", answer["__typename"]))

    async def find_run(self, launch_id: UUID) -> str | None:
        """Return the id of the launch's run; None if there is none.

        A run with the status NOT_STARTED is ignored: Dagster created it, but will neither queue nor launch it.
        """
        runs = await self._runs({"tags": [{"key": LAUNCH_ID_TAG, "value": str(launch_id)}]})
        return next((run_id for run_id, status in runs.items() if status is not RunStatus.NOT_STARTED), None)

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """Return the status of each of these runs; runs that Dagster does not know are left out."""
        return await self._runs({"runIds": list(run_ids)})

    async def _runs(self, run_filter: Mapping[str, Any]) -> dict[str, RunStatus]:
        answer = (await self._read(_STATUSES, {"filter": run_filter}))["runsOrError"]
        return {run["runId"]: RunStatus(run["status"]) for run in _results(answer)}

    async def _read(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Query Dagster. If this fails, retry once: Dagster's connections are stale after a restart of PostgreSQL."""
        try:
            return await self._query(query, variables)
        except DagsterFailed:
            return await self._query(query, variables)

    async def _query(
        self, query: str, variables: Mapping[str, Any], *, timeout_seconds: float | None = None
    ) -> Any:
        try:
            response = await self._http.post(
                "/graphql",
                json={"query": query, "variables": variables},
                headers={KEY_HEADER: self._key()},
                timeout=timeout_seconds or self._timeout_seconds,
            )
            if response.is_server_error:
                raise DagsterFailed(f"Dagster failed with status {response.status_code}")
            body = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterUnavailable(f"Dagster does not answer: {type(error).__name__}") from error
        if body.get("errors") or not body.get("data"):
            logger.warning("Dagster answered with errors: %s", body.get("errors"))
            raise DagsterFailed("Dagster answered with an error")
        return body["data"]


def _is_silent(daemon: Mapping[str, Any] | None) -> bool:
    heartbeat = daemon["lastHeartbeatTime"] if daemon else None
    return heartbeat is None or time.time() - float(heartbeat) > _MAX_HEARTBEAT_AGE_SECONDS


def _is_loaded(data: Mapping[str, Any]) -> bool:
    entry = data["workspaceLocationEntryOrError"]
    location = (entry or {}).get("locationOrLoadError") or {}
    return bool(location.get("__typename") == "RepositoryLocation")


def _results(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    if answer["__typename"] != "Runs":
        raise DagsterUnavailable(f"Dagster cannot list runs: {answer.get('message', answer['__typename'])}")
    results: list[dict[str, Any]] = answer["results"]
    return results


def _listed_runs(answer: Mapping[str, Any]) -> list[ListedRun]:
    return [
        ListedRun(
            run_id=run["runId"],
            status=RunStatus(run["status"]),
            job=run["jobName"],
            kind=next((tag["value"] for tag in run["tags"] if tag["key"] == KIND_TAG), ""),
            created=float(run["creationTime"]),
            started=run["startTime"],
            # A run that was cancelled before it started has no end time.
            ended=run["endTime"] or run["updateTime"],
        )
        for run in _results(answer)
    ]
