"""The platform as its stores and Dagster show it: read when Prometheus asks, each part by itself and within a time.

All of it is the same whichever replica of the API is asked: over several, take the largest, not the sum.
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
"""Prometheus gives up after ten seconds by itself."""
_FAILURES = (SQLAlchemyError, RedisError, OSError, TimeoutError, DagsterUnavailable)

Families: TypeAlias = list[Metric]
Part = Callable[[Services], Awaitable[Families]]


@dataclass
class _CachedPart:
    """What a part said last, for those who ask again at once, or more often than it is worth."""

    seconds: float
    at: float = float("-inf")
    families: Families = field(default_factory=list)


_PARTS: Sequence[tuple[str, Part, float]] = (
    ("parts", lambda services: _parts(services), 5),
    ("tallies", tally_metrics.read, 1),
    ("runs", dagster_run_metrics.read, 5),
    ("redis", redis_metrics.read, 5),
    ("users", database_metrics.read_users, 5),
    ("warehouse", database_metrics.read_warehouse, 15),
    ("sizes", database_metrics.read_sizes, 60),
)
"""Name, reader, and for how many seconds what it said is good enough."""


class PlatformMetrics:
    """What was measured last, by part."""

    def __init__(self) -> None:
        self._kept = {name: _CachedPart(seconds) for name, _, seconds in _PARTS}

    async def families(self, services: Services) -> Families:
        """Return everything; a part that does not answer in time is left out."""
        read = await asyncio.gather(
            *(_fresh(services, name, part, self._kept[name]) for name, part, _ in _PARTS)
        )
        return [family for families in read for family in families]


async def _fresh(services: Services, name: str, part: Part, kept: _CachedPart) -> Families:
    if time.monotonic() - kept.at < kept.seconds:
        return kept.families
    task = asyncio.ensure_future(part(services))
    done, _ = await asyncio.wait([task], timeout=_LONGEST_SECONDS)
    if not done:
        task.cancel()
        logger.warning("not measured in time: %s", name)
        return []
    try:
        kept.families, kept.at = task.result(), time.monotonic()
    except _FAILURES as error:
        logger.info("not measured: %s: %s", name, type(error).__name__)
        return []
    return kept.families


async def _parts(services: Services) -> Families:
    parts = await check_parts(services)
    return gauges(
        "registru_part_up",
        "Whether a part of the platform answers, as /health/ready sees it.",
        ["part"],
        [(name, state == OK) for name, state in parts.items()],
    )
