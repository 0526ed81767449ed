"""Metrics of the two logical Redis databases, state and cache."""

import asyncio
from typing import Any

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis

from api.metrics.families import gauges

_GAUGES = {
    "used_memory": ("registru_redis_memory_bytes", "Memory that the database's server uses."),
    "maxmemory": ("registru_redis_memory_most_bytes", "Memory that the server may use; 0 means no limit."),
    "connected_clients": ("registru_redis_clients", "Connections to the Redis server."),
}
_COUNTERS = {
    "keyspace_hits": ("registru_redis_hits", "Lookups that found a key."),
    "keyspace_misses": ("registru_redis_misses", "Lookups that found no key."),
    "evicted_keys": ("registru_redis_evicted_keys", "Keys that were evicted for lack of memory."),
}


async def read(*, state: Redis, cache: Redis) -> list[Metric]:
    """Return the statistics of both databases, which may be on the same server. Raises RedisError."""
    databases = {"state": state, "cache": cache}
    results = await asyncio.gather(*map(_statistics, databases.values()))
    statistics = dict(zip(databases, results, strict=True))
    families = gauges(
        "registru_redis_keys",
        "Keys in a database.",
        ["database"],
        [(database, keys) for database, (keys, _) in statistics.items()],
    )
    for field, (name, meaning) in _GAUGES.items():
        families += gauges(
            name,
            meaning,
            ["database"],
            [(database, info[field]) for database, (_, info) in statistics.items()],
        )
    for field, (name, meaning) in _COUNTERS.items():
        counter = CounterMetricFamily(name, meaning, labels=["database"])
        for database, (_, info) in statistics.items():
            counter.add_metric([database], float(info[field]))
        families.append(counter)
    return families


async def _statistics(redis: Redis) -> tuple[int, dict[str, Any]]:
    keys, info = await asyncio.gather(redis.dbsize(), redis.info())
    return int(keys), info
