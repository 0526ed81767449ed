"""Metrics of runs: sent to Redis once, even if Redis refuses them at first."""

from pathlib import Path

from telemetry.tallies import RETRIES, SITE_RATE, Tallies
from tests.stores import running_valkey
from warehouse.contract import COUNTERS_KEY, GAUGES_KEY


def test_metrics_that_redis_refuses_are_sent_once_with_the_next_flush(
    starts_stores: None, tmp_path: Path
) -> None:
    with running_valkey(tmp_path) as redis:
        tallies = Tallies(redis)
        tallies.count(RETRIES, by=2)
        tallies.set_level(SITE_RATE, 3)
        redis.config_set("maxmemory", 1)
        tallies.flush()
        assert redis.keys() == []

        redis.config_set("maxmemory", 0)
        for _ in range(2):
            tallies.flush()
        assert redis.hgetall(COUNTERS_KEY) == {RETRIES.name: "2"}
        assert redis.hgetall(GAUGES_KEY) == {SITE_RATE.name: "3"}
