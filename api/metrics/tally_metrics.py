"""Metrics that runs counted in Redis (`telemetry.tallies`), and metrics of paused sites."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import product

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis

from api.health.parts import read_pauses
from api.metrics.families import gauge, gauges
from telemetry.tallies import (
    BORROWED,
    COUNTS,
    DURATIONS,
    LEVELS,
    OVER,
    STARTED,
    SUM,
    Count,
    Durations,
    parts_of,
)
from warehouse.contract import BROWSERS_KEY, COUNTERS_KEY, GAUGES_KEY

Counts = Mapping[tuple[str, ...], int]


async def read(state: Redis) -> list[Metric]:
    """Return the metrics. Raises RedisError."""
    pipeline = state.pipeline(transaction=False)
    pipeline.hgetall(COUNTERS_KEY)
    pipeline.hgetall(GAUGES_KEY)
    pipeline.zrangebyscore(BROWSERS_KEY, time.time(), "+inf")
    counted, levels, browsers = await pipeline.execute()
    by_name: dict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
    for field, value in counted.items():
        name, *rest = parts_of(field)
        by_name[name][tuple(rest)] = int(value)
    return [
        *(_count(count, by_name[count.name]) for count in COUNTS),
        *(_durations(durations, by_name[durations.name]) for durations in DURATIONS),
        *(family for level in LEVELS for family in gauge(level.name, level.help, levels.get(level.name))),
        *_browsers(browsers),
        *await _pauses(state),
    ]


def _count(definition: Count, counts: Counts) -> Metric:
    family = CounterMetricFamily(definition.name, definition.help, labels=definition.labels)
    # Series start at zero: Prometheus sees no increase in a series that appears only with its first event.
    has_known_labels = definition.values or not definition.labels
    known = dict.fromkeys(product(*definition.values), 0) if has_known_labels else {}
    for labels, value in sorted((known | dict(counts)).items()):
        if len(labels) == len(definition.labels):
            family.add_metric(labels, value)
    return family


def _durations(definition: Durations, counts: Counts) -> Metric:
    family = HistogramMetricFamily(definition.name, definition.help, labels=definition.labels)
    label_count = len(definition.labels)
    fields: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for labels in product(*definition.values):
        fields[labels] = {}
    for parts, value in counts.items():
        if len(parts) == label_count + 1:
            fields[parts[:label_count]][parts[label_count]] = value
    for labels, bucket_counts in sorted(fields.items()):
        buckets = _cumulative(definition, bucket_counts)
        family.add_metric(labels, buckets=buckets, sum_value=bucket_counts.get(SUM, 0) / 1000)
    return family


def _cumulative(definition: Durations, bucket_counts: Mapping[str, int]) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound in (*(f"{seconds:g}" for seconds in definition.buckets), OVER):
        total += bucket_counts.get(bound, 0)
        buckets.append((bound if bound == OVER else str(float(bound)), total))
    return buckets


def _browsers(members: Iterable[str]) -> list[Metric]:
    used = Counter({BORROWED: 0, STARTED: 0})
    used.update(member.partition(":")[0] for member in members)
    return gauges(
        "registru_browsers_in_use", "Browsers that runs use, borrowed or their own.", ["how"], used.items()
    )


async def _pauses(state: Redis) -> list[Metric]:
    pauses = await read_pauses(state)
    now = datetime.now(UTC)
    longest = max(((pause.until - now).total_seconds() for pause in pauses), default=0.0)
    return [
        *gauge(
            "registru_sites_paused", "Sites that are paused now (circuit breaker, Retry-After).", len(pauses)
        ),
        *gauge("registru_site_pause_seconds", "Remaining time of the longest pause.", max(longest, 0.0)),
    ]
