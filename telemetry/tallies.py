"""Metrics of runs, kept in Redis and exported by the API.

Runs are short-lived and may be on several machines, so Prometheus cannot scrape them. All counters are fields of one
Redis hash; a field's name consists of the metric and its label values. A histogram has a field for each bucket. A run
collects its counts and sends them in one round trip (`Tallies.flush`).
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from warehouse.contract import (
    BROWSERS_KEY,
    CHECK_JOB,
    COUNTERS_KEY,
    ENDED_STATUSES,
    GAUGES_KEY,
    REFRESH_JOB,
    RETRANSFORM_JOB,
    SCRAPE_JOB,
    SWEEP_JOB,
    Outcome,
    RunKind,
    RunResult,
)

logger = logging.getLogger(__name__)

_SEPARATOR = "|"
SUM, OVER = "sum", "+Inf"


@dataclass(frozen=True)
class Count:
    """A counter. `name` is its name without `_total`.

    `values` contains the known values of each label; it is empty if the counter has no labels.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Durations:
    """A histogram of durations. `buckets` are upper bounds in seconds; `values` are the known values of each label."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Level:
    """A gauge: a metric that has a current value."""

    name: str
    help: str


BORROWED, STARTED = "borrowed", "started"
TRANSFORMED, NOT_TRANSFORMED, OLDER = "transformed", "refused", "older"
JOBS = (SCRAPE_JOB, SWEEP_JOB, REFRESH_JOB, RETRANSFORM_JOB, CHECK_JOB)
OTHER_JOB = "other"
"""The label for a run that executes none of JOBS, because a user materialized assets by hand."""
_KINDS = tuple(RunKind)

VISITS = Count("registru_visits", "Visits to companies' pages, by outcome.", ("outcome",), (tuple(Outcome),))
RETRIES = Count("registru_visit_retries", "Visits that are followed by another attempt.")
RESULTS = Count(
    "registru_run_results", "Companies that runs finished, by result.", ("result",), (tuple(RunResult),)
)
TRANSFORMATIONS = Count(
    "registru_transformations",
    "Captures that runs tried to transform, by result: transformed; refused (in quarantine); older than the record.",
    ("result",),
    ((TRANSFORMED, NOT_TRANSFORMED, OLDER),),
)
SITE_REQUESTS = Count("registru_site_requests", "Requests to the site: pages, redirects, lists, robots.txt.")
BROWSERS = Count(
    "registru_browser_sessions",
    "Browsers that runs obtained: borrowed or started.",
    ("how",),
    ((BORROWED, STARTED),),
)
RUNS = Count(
    "registru_runs_finished",
    "Runs that ended, by kind, job and status.",
    ("kind", "job", "status"),
    (_KINDS, (*JOBS, OTHER_JOB), ENDED_STATUSES),
)

VISIT_SECONDS = Durations(
    "registru_visit_duration_seconds",
    "How long visits took, in seconds.",
    (0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 13, 21, 34, 60),
)
TURN_SECONDS = Durations(
    "registru_turn_wait_seconds",
    "How long visits waited for a turn at the site, in seconds.",
    (0.01, 0.05, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
RUN_SECONDS = Durations(
    "registru_run_duration_seconds",
    "How long runs took from start to end, in seconds, by kind.",
    (0.5, 1, 2, 3, 5, 10, 20, 40, 80, 160, 320, 900, 3600, 14400),
    ("kind",),
    (_KINDS,),
)

SITE_RATE = Level("registru_site_rate_set", "The allowed visits per second; 0: no limit.")
WARM_BROWSERS = Level(
    "registru_browsers_kept", "The number of browsers that each machine keeps running (a setting)."
)
TRANSFORM_VERSION = Level("registru_transform_version", "The transform version that runs use.")

COUNTS = (VISITS, RETRIES, RESULTS, TRANSFORMATIONS, SITE_REQUESTS, BROWSERS, RUNS)
DURATIONS = (VISIT_SECONDS, TURN_SECONDS, RUN_SECONDS)
LEVELS = (SITE_RATE, WARM_BROWSERS, TRANSFORM_VERSION)


def field_of(name: str, *parts: str) -> str:
    """Return the field of the Redis hash for a metric and its label values."""
    return _SEPARATOR.join((name, *parts))


def parts_of(field: str) -> tuple[str, ...]:
    """Return the metric's name and the label values that a field of the Redis hash stands for; reverses `field_of`."""
    return tuple(field.split(_SEPARATOR))


def increments(durations: Durations, seconds: float, *labels: str) -> Mapping[str, int]:
    """Return by how much one observed duration increases each field of the Redis hash.

    The sum is kept in milliseconds because the fields hold whole numbers.
    """
    bucket = next((f"{bound:g}" for bound in durations.buckets if seconds <= bound), OVER)
    return {
        field_of(durations.name, *labels, bucket): 1,
        field_of(durations.name, *labels, SUM): round(seconds * 1000),
    }


class Tallies:
    """The metrics of one run, collected until `flush` sends them to Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._counts: Counter[str] = Counter()
        self._levels: dict[str, float] = {}
        self._browser: tuple[str, float] | None = None

    def count(self, counter: Count, *labels: str, by: int = 1) -> None:
        """Increase a counter."""
        self._counts[field_of(counter.name, *labels)] += by

    def observe(self, histogram: Durations, seconds: float, *labels: str) -> None:
        """Add a duration to a histogram."""
        self._counts.update(increments(histogram, seconds, *labels))

    def set_level(self, gauge: Level, value: float) -> None:
        """Set the value of a gauge."""
        self._levels[gauge.name] = value

    def mark_browser_in_use(self, name: str, *, seconds: float) -> None:
        """Record that this run uses a browser. The entry expires after `seconds`, in case the run is killed.

        `name` is `borrowed:` or `started:`, followed by the id of the run.
        """
        self._browser = (name, time.time() + seconds)

    def mark_browser_released(self, name: str) -> None:
        """Record that this run no longer uses a browser."""
        self._browser = (name, 0.0)

    def flush(self) -> None:
        """Send all collected metrics in one round trip. If Redis does not answer, keep them for the next flush."""
        if not (self._counts or self._levels or self._browser):
            return
        pipeline = self._redis.pipeline(transaction=False)
        for field, by in self._counts.items():
            pipeline.hincrby(COUNTERS_KEY, field, by)
        if self._levels:
            pipeline.hset(GAUGES_KEY, mapping=self._levels)  # type: ignore[arg-type] # numbers are accepted
        if self._browser is not None:
            pipeline.zadd(BROWSERS_KEY, {self._browser[0]: self._browser[1]})
            pipeline.zremrangebyscore(BROWSERS_KEY, "-inf", time.time())
        try:
            pipeline.execute()
        except RedisError as error:
            logger.info("could not send metrics, keeping them for the next flush: %s", type(error).__name__)
            return
        self._counts.clear()
        self._levels.clear()
        self._browser = None
