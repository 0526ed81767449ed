"""Metrics of Dagster's runs: the open ones, and the number of those that ended.

A run cannot count its own end, because it may be killed. So each request for /metrics first counts the runs that ended
since the previous request for /metrics. The counters are in Redis. A lock lets only one replica of the API count at a
time, so that each run is counted once.
"""

import time
from collections import Counter
from collections.abc import Sequence

from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis

from api.dagster.dagster_client import DagsterClient, ListedRun, RunStatus
from api.metrics.families import gauge, gauges
from telemetry.tallies import JOBS, OTHER_JOB, RUN_SECONDS, RUNS, field_of, increments
from warehouse.contract import COUNTERS_KEY, RunKind

_LOCK_KEY, _UNTIL_KEY = "metrics:runs:lock", "metrics:runs:until"
_LOCK_SECONDS = 10
_MOST_RUNS = 500
"""Maximum number of runs per request for /metrics. If more ended since the last request, the oldest are not counted."""
_SETTLED_SECONDS = 2.0
"""How long after its end a run is counted. Without this delay, a run would be missed if Dagster lists it late."""


async def read(state: Redis, dagster: DagsterClient) -> list[Metric]:
    """Count the runs that ended, and return the metrics of open runs. Raises RedisError, DagsterUnavailable."""
    now = time.time()
    until = await state.get(_UNTIL_KEY)
    since = float(until) if until is not None else now
    opened, ended = await dagster.list_recent_runs(since, limit=_MOST_RUNS)
    if await state.set(_LOCK_KEY, "1", nx=True, ex=_LOCK_SECONDS):
        try:
            await _count(state, ended, now=now)
        finally:
            await state.delete(_LOCK_KEY)
    return _open_runs(opened, now)


async def _count(state: Redis, ended: Sequence[ListedRun], *, now: float) -> None:
    counted_until = await state.get(
        _UNTIL_KEY
    )  # read again: another replica may have counted in the meantime
    since = float(counted_until) if counted_until is not None else now
    until = now - _SETTLED_SECONDS
    counts: Counter[str] = Counter()
    for run in ended:
        if run.ended is None or not since < run.ended <= until:
            continue
        kind = _kind(run)
        counts[field_of(RUNS.name, kind, run.job if run.job in JOBS else OTHER_JOB, run.status)] += 1
        if run.started is not None:
            counts.update(increments(RUN_SECONDS, run.ended - run.started, kind))
    async with state.pipeline(transaction=True) as pipeline:
        for field, by in counts.items():
            pipeline.hincrby(COUNTERS_KEY, field, by)
        pipeline.set(_UNTIL_KEY, repr(max(since, until) if counted_until is not None else until))
        await pipeline.execute()


def _kind(run: ListedRun) -> str:
    return run.kind if run.kind in tuple(RunKind) else RunKind.BULK


def _open_runs(runs: Sequence[ListedRun], now: float) -> list[Metric]:
    statuses = [RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING]
    counts = Counter({(str(status), str(kind)): 0 for status in statuses for kind in RunKind})
    counts.update((str(run.status), _kind(run)) for run in runs)
    queued = [now - run.created for run in runs if run.status is RunStatus.QUEUED]
    return [
        *gauges(
            "registru_runs_open",
            "Runs that have not ended, by status and kind.",
            ["status", "kind"],
            counts.items(),
        ),
        *gauge(
            "registru_runs_oldest_queued_seconds",
            "How long the oldest queued run (of the newest 500 open runs) has waited; 0 if none is queued.",
            max(queued, default=0.0),
        ),
    ]
