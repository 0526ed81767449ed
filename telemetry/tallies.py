"""What runs count, kept in Redis: they are short-lived, and may be on several machines. The API shows it.

A counter is a field of one hash, named by the metric and its labels' values; what a histogram observed is counted a
bucket a field. A run adds up what it counts, and sends it in one round trip (`Tallies.flush`).
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
    """Something that is counted: its name without `_total`, what it means, its labels and, if known, their values."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Durations:
    """Durations that are counted by how long they are, in seconds."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Level:
    """Something that has a value."""

    name: str
    help: str


BORROWED, STARTED = "borrowed", "started"
TRANSFORMED, NOT_TRANSFORMED, OLDER = "transformed", "refused", "older"
JOBS = (SCRAPE_JOB, SWEEP_JOB, REFRESH_JOB, RETRANSFORM_JOB, CHECK_JOB)
OTHER_JOB = "other"
"""Whatever is materialized by hand."""
ENDED_STATUSES = ("SUCCESS", "FAILURE", "CANCELED")
_KINDS = tuple(RunKind)

VISITS = Count("registru_visits", "Visits to companies' pages, by outcome.", ("outcome",), (tuple(Outcome),))
RETRIES = Count("registru_visit_retries", "Visits after which the page is visited again.")
RESULTS = Count(
    "registru_run_results", "Companies that runs were done with, by how.", ("result",), (tuple(RunResult),)
)
TRANSFORMATIONS = Count(
    "registru_transformations",
    "Captures that were to be made records: transformed, refused (see the quarantine), older than what is held.",
    ("result",),
    ((TRANSFORMED, NOT_TRANSFORMED, OLDER),),
)
SITE_REQUESTS = Count("registru_site_requests", "Requests to the site: pages, redirects, lists, robots.txt.")
BROWSERS = Count(
    "registru_browser_sessions", "Browsers that runs got, by how.", ("how",), ((BORROWED, STARTED),)
)
RUNS = Count(
    "registru_runs_finished",
    "Runs that ended, by kind, job and status.",
    ("kind", "job", "status"),
    (_KINDS, (*JOBS, OTHER_JOB), ENDED_STATUSES),
)

VISIT_SECONDS = Durations(
    "registru_visit_duration_seconds",
    "How long visits took.",
    (0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 13, 21, 34, 60),
)
TURN_SECONDS = Durations(
    "registru_turn_wait_seconds",
    "How long visits waited for their turn at the site.",
    (0.01, 0.05, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
RUN_SECONDS = Durations(
    "registru_run_duration_seconds",
    "How long runs took, from start to end, by kind.",
    (0.5, 1, 2, 3, 5, 10, 20, 40, 80, 160, 320, 900, 3600, 14400),
    ("kind",),
    (_KINDS,),
)

SITE_RATE = Level("registru_site_rate_set", "Visits a second that are allowed; 0: no limit.")
WARM_BROWSERS = Level("registru_browsers_kept", "Browsers that are to be kept running on a machine.")
TRANSFORM_VERSION = Level("registru_transform_version", "The version of the transformation that runs use.")

COUNTS = (VISITS, RETRIES, RESULTS, TRANSFORMATIONS, SITE_REQUESTS, BROWSERS, RUNS)
DURATIONS = (VISIT_SECONDS, TURN_SECONDS, RUN_SECONDS)
LEVELS = (SITE_RATE, WARM_BROWSERS, TRANSFORM_VERSION)


def field_of(name: str, *parts: str) -> str:
    """Return the field of the hash that holds a count."""
    return _SEPARATOR.join((name, *parts))


def parts_of(field: str) -> tuple[str, ...]:
    """Return a field's name and what follows it."""
    return tuple(field.split(_SEPARATOR))


def increments(durations: Durations, seconds: float, *labels: str) -> Mapping[str, int]:
    """Return what observing a duration adds to which field; sums are kept in milliseconds, which are whole."""
    bucket = next((f"{each:g}" for each in durations.buckets if seconds <= each), OVER)
    return {
        field_of(durations.name, *labels, bucket): 1,
        field_of(durations.name, *labels, SUM): round(seconds * 1000),
    }


class Tallies:
    """What one run counts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._counts: Counter[str] = Counter()
        self._levels: dict[str, float] = {}
        self._browser: tuple[str, float] | None = None

    def count(self, what: Count, *labels: str, by: int = 1) -> None:
        """Count something."""
        self._counts[field_of(what.name, *labels)] += by

    def observe(self, what: Durations, seconds: float, *labels: str) -> None:
        """Count a duration."""
        self._counts.update(increments(what, seconds, *labels))

    def set(self, what: Level, value: float) -> None:
        """Say what something is."""
        self._levels[what.name] = value

    def uses_browser(self, name: str, *, seconds: float) -> None:
        """Say that this run has a browser, for so long at least (it may die without a word)."""
        self._browser = (name, time.time() + seconds)

    def has_no_browser(self, name: str) -> None:
        """Say that it has it no more."""
        self._browser = (name, 0.0)

    def flush(self) -> None:
        """Send it all in one round trip. What cannot be sent now is sent with what comes next."""
        if not (self._counts or self._levels or self._browser):
            return
        pipeline = self._redis.pipeline(transaction=False)
        for field, by in self._counts.items():
            pipeline.hincrby(COUNTERS_KEY, field, by)
        if self._levels:
            pipeline.hset(GAUGES_KEY, mapping=self._levels)  # type: ignore[arg-type] # numbers are taken
        if self._browser is not None:
            pipeline.zadd(BROWSERS_KEY, {self._browser[0]: self._browser[1]})
            pipeline.zremrangebyscore(BROWSERS_KEY, "-inf", time.time())
        try:
            pipeline.execute()
        except RedisError as error:
            logger.info("counts are kept for later: %s", type(error).__name__)
            return
        self._counts.clear()
        self._levels.clear()
        self._browser = None
