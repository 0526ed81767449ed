"""Dagster over its GraphQL, asynchronous and with short timeouts."""

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

_CHECK_TIMEOUT_SECONDS = 5
_LAUNCH_TIMEOUT_SECONDS = 30
_LONGEST_SILENCE_SECONDS = 120
"""The daemon gives a sign of life every 30 s; Dagster itself would call it dead only after 30 minutes."""

_READY = """
query Ready($location: String!) {
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
LAUNCH = """
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
STATUSES = """
query Statuses($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    __typename
    ... on Runs { results { runId status } }
    ... on Error { message }
  }
}
"""

_FOLLOW = """
query Follow($open: [RunStatus!], $over: [RunStatus!], $since: Float!, $most: Int!) {
  open: runsOrError(filter: {statuses: $open}, limit: $most) { ...Seen }
  over: runsOrError(filter: {statuses: $over, updatedAfter: $since}, limit: $most) { ...Seen }
}
fragment Seen on RunsOrError {
  __typename
  ... on Runs { results { runId status jobName creationTime startTime endTime updateTime tags { key value } } }
  ... on Error { message }
}
"""


class DagsterUnavailable(RuntimeError):
    """Dagster does not answer, or a part that a run needs is down. Nothing was launched."""


class DagsterFailed(DagsterUnavailable):
    """Dagster answered, with an error of its own."""


class LaunchUnclear(RuntimeError):
    """A launch was sent and no answer came: a run may or may not exist."""


class RunStatus(StrEnum):
    """The statuses of a run that Dagster has."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


_OVER_STATUSES = [RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED]
_OPEN_STATUSES = [status for status in RunStatus if status not in _OVER_STATUSES]


@dataclass(frozen=True)
class SeenRun:
    """A run as Dagster lists it; times in seconds since 1970."""

    run_id: str
    status: RunStatus
    job: str
    kind: str
    created: float
    started: float | None
    ended: float | None


class DagsterClient:
    """The few calls the API makes. Use as a context manager."""

    def __init__(self, url: str, *, key: Callable[[], str], run_limit_seconds: int) -> None:
        """`key` is asked before each call what to show Dagster's webserver."""
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=_CHECK_TIMEOUT_SECONDS)
        self._key = key
        self._run_limit_seconds = run_limit_seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def check(self) -> None:
        """Raise DagsterUnavailable unless a run launched now would run."""
        data = await self._read(_READY, {"location": CODE_LOCATION})
        if _is_silent(data["instance"]["daemonHealth"]["daemonStatus"]):
            raise DagsterUnavailable("Dagster's daemon gives no sign of life")
        if not _is_loaded(data):
            raise DagsterUnavailable("the pipeline's code server is not loaded")

    async def parts(self) -> dict[str, str]:
        """Return `ok`, or what is wrong, of webserver, daemon and code location. Raises DagsterUnavailable."""
        data = await self._read(_READY, {"location": CODE_LOCATION})
        daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        silent = sorted(each["daemonType"] for each in daemons if each["required"] and _is_silent(each))
        return {
            "dagster": "ok",
            "daemon": f"no sign of life of {', '.join(silent)}" if silent or not daemons else "ok",
            "code_location": "ok" if _is_loaded(data) else "the pipeline's code server is not loaded",
        }

    async def follow_runs(self, since: float, *, most: int) -> tuple[list[SeenRun], list[SeenRun]]:
        """Return the runs that are open, and those that ended since a time, the newest first, so many at most.

        Raises DagsterUnavailable.
        """
        data = await self._read(
            _FOLLOW, {"open": _OPEN_STATUSES, "over": _OVER_STATUSES, "since": since, "most": most}
        )
        return _seen(data["open"]), _seen(data["over"])

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
        """Launch a run for companies and return its id. Raises DagsterUnavailable, LaunchUnclear."""
        tags = {LAUNCH_ID_TAG: str(launch_id), REQUESTED_BY_TAG: requested_by, **run_tags(kind)}
        traced = {REQUEST_ID_TAG: request_id, TRACEPARENT_TAG: traceparent}
        tags |= {name: value for name, value in traced.items() if value is not None}
        if len(idnos) == 1:
            tags |= {IDNO_TAG: idnos[0], MAX_RUNTIME_TAG: str(self._run_limit_seconds)}
        params = execution_params(SCRAPE_JOB, scrape_run_config(idnos, since=since), tags)
        try:
            return await self._launch(params)
        except DagsterFailed:
            # It is done with that launch, one way or the other; after PostgreSQL restarted, the next one works.
            try:
                run_id = await self.find_run(launch_id)
            except DagsterUnavailable as error:
                raise LaunchUnclear(str(error)) from error
            return run_id or await self._launch(params)

    async def _launch(self, params: Mapping[str, Any]) -> str:
        try:
            data = await self._query(LAUNCH, {"params": params}, timeout_seconds=_LAUNCH_TIMEOUT_SECONDS)
        except DagsterFailed:
            raise
        except DagsterUnavailable as error:
            if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                raise
            raise LaunchUnclear(str(error)) from error
        answer = data["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            logger.warning("Dagster refused a run: %s", answer)
            raise DagsterFailed(f"Dagster refused the run ({answer['__typename']})")
        return str(answer["run"]["runId"])

    async def terminate(self, run_id: str) -> None:
        """Have a run end itself; one that is over stays as it is. Raises DagsterUnavailable."""
        answer = (await self._query(_TERMINATE, {"run": run_id}))["terminateRun"]
        if answer["__typename"] != "TerminateRunSuccess":
            logger.info("run %s is not ended: %s", run_id, answer.get("message", answer["__typename"]))

    async def find_run(self, launch_id: UUID) -> str | None:
        """Return the id of the run of a launch, None if there is none that will ever start."""
        runs = await self._runs({"tags": [{"key": LAUNCH_ID_TAG, "value": str(launch_id)}]})
        return next((run_id for run_id, status in runs.items() if status is not RunStatus.NOT_STARTED), None)

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """Return the status of each of these runs that exists."""
        return await self._runs({"runIds": list(run_ids)})

    async def _runs(self, run_filter: Mapping[str, Any]) -> dict[str, RunStatus]:
        answer = (await self._read(STATUSES, {"filter": run_filter}))["runsOrError"]
        if answer["__typename"] != "Runs":
            raise DagsterUnavailable(f"Dagster lists no runs: {answer.get('message', answer['__typename'])}")
        return {run["runId"]: RunStatus(run["status"]) for run in answer["results"]}

    async def _read(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Query; once more if Dagster failed (its connections are stale after PostgreSQL restarted)."""
        try:
            return await self._query(query, variables)
        except DagsterFailed:
            return await self._query(query, variables)

    async def _query(
        self, query: str, variables: Mapping[str, Any], *, timeout_seconds: float = _CHECK_TIMEOUT_SECONDS
    ) -> Any:
        try:
            response = await self._http.post(
                "/graphql",
                json={"query": query, "variables": variables},
                headers={KEY_HEADER: self._key()},
                timeout=timeout_seconds,
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
    beat = daemon["lastHeartbeatTime"] if daemon else None
    return beat is None or time.time() - float(beat) > _LONGEST_SILENCE_SECONDS


def _is_loaded(data: Mapping[str, Any]) -> bool:
    entry = data["workspaceLocationEntryOrError"]
    location = (entry or {}).get("locationOrLoadError") or {}
    return bool(location.get("__typename") == "RepositoryLocation")


def _seen(answer: Mapping[str, Any]) -> list[SeenRun]:
    if answer["__typename"] != "Runs":
        raise DagsterUnavailable(f"Dagster lists no runs: {answer.get('message', answer['__typename'])}")
    return [
        SeenRun(
            run_id=run["runId"],
            status=RunStatus(run["status"]),
            job=run["jobName"],
            kind=next((tag["value"] for tag in run["tags"] if tag["key"] == KIND_TAG), ""),
            created=float(run["creationTime"]),
            started=run["startTime"],
            # One that was cancelled before it began has no end of its own.
            ended=run["endTime"] or run["updateTime"],
        )
        for run in answer["results"]
    ]
