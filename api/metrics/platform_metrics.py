"""Metrics of the whole platform, read from its stores and from Dagster when Prometheus requests /metrics.

Each source is read on its own and with a timeout. Every replica of the API returns the same values: aggregate them with
`max`, not with `sum`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client.metrics_core import Metric
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.dagster.dagster_client import DagsterUnavailable
from api.health.parts import OK, check_parts
from api.metrics import dagster_run_metrics, database_metrics, redis_metrics, tally_metrics
from api.metrics.families import gauges
from api.services import Services

logger = logging.getLogger(__name__)

_LONGEST_SECONDS = 4.0
"""Timeout of one source. Prometheus waits ten seconds for the whole answer by default."""
_FAILURES = (SQLAlchemyError, RedisError, OSError, TimeoutError, DagsterUnavailable)

Families: TypeAlias = list[Metric]
Reader = Callable[[Services], Awaitable[Families]]


@dataclass
class _CachedSource:
    """The last metrics of a source, reused by requests that follow soon after."""

    seconds: float
    """How long the metrics may be reused."""
    read_at: float = float("-inf")
    families: Families = field(default_factory=list)


_SOURCES: Sequence[tuple[str, Reader, float]] = (
    ("parts", lambda services: _read_parts(services), 5),
    ("tallies", lambda services: tally_metrics.read(services.state), 1),
    ("runs", lambda services: dagster_run_metrics.read(services.state, services.dagster), 5),
    ("redis", lambda services: redis_metrics.read(state=services.state, cache=services.cache), 5),
    ("users", lambda services: database_metrics.read_users(services.users), 5),
    ("warehouse", lambda services: database_metrics.read_warehouse(services.warehouse, services.state), 15),
    ("sizes", lambda services: database_metrics.read_sizes(services.users, services.warehouse), 60),
)
"""Name, reader, and for how many seconds the metrics may be reused."""


class PlatformMetrics:
    """The metrics of all sources, each cached for a short time."""

    def __init__(self) -> None:
        self._cached = {name: _CachedSource(seconds) for name, _, seconds in _SOURCES}

    async def families(self, services: Services) -> Families:
        """Return the metrics of all sources; a source that fails or is too slow is omitted."""
        results = await asyncio.gather(
            *(_read_or_reuse(services, name, reader, self._cached[name]) for name, reader, _ in _SOURCES)
        )
        return [family for families in results for family in families]


async def _read_or_reuse(services: Services, name: str, reader: Reader, cached: _CachedSource) -> Families:
    if time.monotonic() - cached.read_at < cached.seconds:
        return cached.families
    task = asyncio.ensure_future(reader(services))
    done, _ = await asyncio.wait([task], timeout=_LONGEST_SECONDS)
    if not done:
        task.cancel()
        logger.warning("the metrics of %s were not read in time", name)
        return []
    try:
        cached.families, cached.read_at = task.result(), time.monotonic()
    except _FAILURES as error:
        logger.info("the metrics of %s could not be read: %s", name, type(error).__name__)
        return []
    return cached.families


async def _read_parts(services: Services) -> Families:
    parts = await check_parts(services)
    return gauges(
        "registru_part_up",
        "Whether a part of the platform answers, as in /health/ready: 1 or 0.",
        ["part"],
        [(name, state == OK) for name, state in parts.items()],
    )
