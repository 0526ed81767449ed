"""The two logical databases of Redis: state, and cache."""

import asyncio
from typing import Any

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis

from api.metrics.families import gauges
from api.services import Services

_GAUGES = {
    "used_memory": ("registru_redis_memory_bytes", "Memory that the server of a database uses."),
    "maxmemory": ("registru_redis_memory_most_bytes", "Memory that it may use; 0: all there is."),
    "connected_clients": ("registru_redis_clients", "Connections to it."),
}
_COUNTERS = {
    "keyspace_hits": ("registru_redis_hits", "Keys that were asked for and there."),
    "keyspace_misses": ("registru_redis_misses", "Keys that were asked for and not there."),
    "evicted_keys": ("registru_redis_evicted_keys", "Keys that were dropped to make room."),
}


async def read(services: Services) -> list[Metric]:
    """Return what the servers say of themselves; both databases may be on one. Raises RedisError."""
    databases = {"state": services.state, "cache": services.cache}
    said = dict(zip(databases, await asyncio.gather(*map(_look, databases.values())), strict=True))
    families = gauges(
        "registru_redis_keys",
        "Keys in a database.",
        ["database"],
        [(name, keys) for name, (keys, _) in said.items()],
    )
    for field, (name, meaning) in _GAUGES.items():
        families += gauges(
            name, meaning, ["database"], [(each, info[field]) for each, (_, info) in said.items()]
        )
    for field, (name, meaning) in _COUNTERS.items():
        counter = CounterMetricFamily(name, meaning, labels=["database"])
        for each, (_, info) in said.items():
            counter.add_metric([each], float(info[field]))
        families.append(counter)
    return families


async def _look(redis: Redis) -> tuple[int, dict[str, Any]]:
    keys, info = await asyncio.gather(redis.dbsize(), redis.info())
    return int(keys), info
