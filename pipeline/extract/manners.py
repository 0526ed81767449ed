"""Manners towards the source: one rate for a site over all runs and machines, kept in Redis."""

import math
import time
from urllib.parse import urlsplit

from redis import Redis

from warehouse.contract import rate_key

# Takes the next free moment of a host and moves it on by one interval. By Redis's own clock, so that
# machines need not agree on the time; returns the milliseconds to wait.
_NEXT_SLOT = """
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local slot = math.max(now_ms, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], slot + ARGV[1], 'PX', slot - now_ms + ARGV[1] + 60000)
return slot - now_ms
"""


class Manners:
    """Lets visits to one site pass at an allowed rate."""

    def __init__(self, redis: Redis, *, site_url: str, visits_per_second: float) -> None:
        self._take = redis.register_script(_NEXT_SLOT)
        self._key = rate_key(urlsplit(site_url).netloc)
        self._interval_ms = math.ceil(1000 / visits_per_second) if visits_per_second else 0

    def wait_turn(self) -> float:
        """Wait until the next visit is allowed; return the seconds waited."""
        if not self._interval_ms:
            return 0.0
        wait_seconds = int(self._take(keys=[self._key], args=[self._interval_ms])) / 1000
        time.sleep(wait_seconds)
        return wait_seconds
