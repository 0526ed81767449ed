"""Runs as Dagster has them: those that are open, and those that ended since somebody looked last.

A run cannot count its own end (it may be killed), so whoever asks for the metrics first counts those that ended, in
Redis: by one replica at a time, each run once.
"""

import time
from collections import Counter
from collections.abc import Sequence

from prometheus_client.metrics_core import Metric

from api.dagster.dagster_client import RunStatus, SeenRun
from api.metrics.families import gauge, gauges
from api.services import Services
from telemetry.tallies import JOBS, OTHER_JOB, RUN_SECONDS, RUNS, field_of, increments
from warehouse.contract import COUNTERS_KEY, RunKind

_LOCK_KEY, _UNTIL_KEY = "metrics:runs:lock", "metrics:runs:until"
_LOCK_SECONDS = 10
_MOST = 500
"""Runs a look; of more that ended in between the oldest are not counted."""
_SETTLED_SECONDS = 2.0
"""What ended just now may become visible after what ended later."""


async def read(services: Services) -> list[Metric]:
    """Return the open runs, and count those that ended. Raises RedisError, DagsterUnavailable."""
    now = time.time()
    until = await services.state.get(_UNTIL_KEY)
    since = float(until) if until is not None else now
    opened, over = await services.dagster.follow_runs(since, most=_MOST)
    if await services.state.set(_LOCK_KEY, "1", nx=True, ex=_LOCK_SECONDS):
        try:
            await _count(services, over, now=now)
        finally:
            await services.state.delete(_LOCK_KEY)
    return _open(opened, now)


async def _count(services: Services, over: Sequence[SeenRun], *, now: float) -> None:
    held = await services.state.get(_UNTIL_KEY)  # again: somebody may have counted meanwhile
    since, until = float(held) if held is not None else now, now - _SETTLED_SECONDS
    counts: Counter[str] = Counter()
    for run in over:
        if run.ended is None or not since < run.ended <= until:
            continue
        kind = _kind(run)
        counts[field_of(RUNS.name, kind, run.job if run.job in JOBS else OTHER_JOB, run.status)] += 1
        if run.started is not None:
            counts.update(increments(RUN_SECONDS, run.ended - run.started, kind))
    async with services.state.pipeline(transaction=True) as pipeline:
        for field, by in counts.items():
            pipeline.hincrby(COUNTERS_KEY, field, by)
        pipeline.set(_UNTIL_KEY, repr(max(since, until) if held is not None else until))
        await pipeline.execute()


def _kind(run: SeenRun) -> str:
    return run.kind if run.kind in tuple(RunKind) else RunKind.BULK


def _open(runs: Sequence[SeenRun], now: float) -> list[Metric]:
    statuses = [RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING]
    counts = Counter({(str(status), str(kind)): 0 for status in statuses for kind in RunKind})
    counts.update((str(run.status), _kind(run)) for run in runs)
    queued = [now - run.created for run in runs if run.status is RunStatus.QUEUED]
    return [
        *gauges(
            "registru_runs_open",
            "Runs that are not over, by status and kind.",
            ["status", "kind"],
            counts.items(),
        ),
        *gauge(
            "registru_runs_oldest_queued_seconds",
            "How long the oldest of the queued runs (the newest 500) has waited; 0: none waits.",
            max(queued, default=0.0),
        ),
    ]
