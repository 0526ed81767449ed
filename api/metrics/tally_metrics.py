"""What runs counted in Redis (`telemetry.tallies`), as Prometheus wants it; and the sites that are left alone."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import product

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from api.health.parts import read_pauses
from api.metrics.families import gauge, gauges
from api.services import Services
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


async def read(services: Services) -> list[Metric]:
    """Return it all. Raises RedisError."""
    pipeline = services.state.pipeline(transaction=False)
    pipeline.hgetall(COUNTERS_KEY)
    pipeline.hgetall(GAUGES_KEY)
    pipeline.zrangebyscore(BROWSERS_KEY, time.time(), "+inf")
    counted, levels, browsers = await pipeline.execute()
    by_name: dict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
    for field, value in counted.items():
        name, *rest = parts_of(field)
        by_name[name][tuple(rest)] = int(value)
    return [
        *(_count(each, by_name[each.name]) for each in COUNTS),
        *(_durations(each, by_name[each.name]) for each in DURATIONS),
        *(family for each in LEVELS for family in gauge(each.name, each.help, levels.get(each.name))),
        *_browsers(browsers),
        *await _pauses(services),
    ]


def _count(what: Count, counts: Counts) -> Metric:
    family = CounterMetricFamily(what.name, what.help, labels=what.labels)
    # What has not happened yet has happened no times: an increase from nothing would not be seen.
    known = dict.fromkeys(product(*what.values), 0) if what.values or not what.labels else {}
    for labels, value in sorted((known | dict(counts)).items()):
        if len(labels) == len(what.labels):
            family.add_metric(labels, value)
    return family


def _durations(what: Durations, counts: Counts) -> Metric:
    family = HistogramMetricFamily(what.name, what.help, labels=what.labels)
    wide = len(what.labels)
    fields: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for labels in product(*what.values):
        fields[labels] = {}
    for parts, value in counts.items():
        if len(parts) == wide + 1:
            fields[parts[:wide]][parts[wide]] = value
    for labels, found in sorted(fields.items()):
        family.add_metric(labels, buckets=_cumulated(what, found), sum_value=found.get(SUM, 0) / 1000)
    return family


def _cumulated(what: Durations, found: Mapping[str, int]) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound in (*(f"{each:g}" for each in what.buckets), OVER):
        total += found.get(bound, 0)
        buckets.append((bound if bound == OVER else str(float(bound)), total))
    return buckets


def _browsers(members: Iterable[str]) -> list[Metric]:
    used = Counter({BORROWED: 0, STARTED: 0})
    used.update(member.partition(":")[0] for member in members)
    return gauges(
        "registru_browsers_in_use", "Browsers that runs have: borrowed or their own.", ["how"], used.items()
    )


async def _pauses(services: Services) -> list[Metric]:
    pauses = await read_pauses(services)
    now = datetime.now(UTC)
    longest = max(((pause.until - now).total_seconds() for pause in pauses), default=0.0)
    return [
        *gauge("registru_sites_paused", "Sites that are left alone now (breaker, Retry-After).", len(pauses)),
        *gauge("registru_site_pause_seconds", "How long the longest pause still lasts.", max(longest, 0.0)),
    ]
