"""Throttles of runs for tests: made with given settings, used without a browser."""

from typing import Any

from redis import Redis

from pipeline.extract.site_throttle import RequestResult, SiteThrottle, Turn
from pipeline.settings import PipelineSettings
from warehouse.contract import RunKind

REQUIRED: dict[str, Any] = {
    "warehouse_url": "postgresql+psycopg2://nowhere/none",
    "redis_state_url": "redis://nowhere/0",
    "redis_cache_url": "redis://nowhere/1",
    "chrome_binary": "chrome",
    "chromedriver": "driver",
    "work_dir": "work",
}
NO_SERVER = "http://127.0.0.1:9/companies/x"
"""A URL that nothing answers; its host therefore has no robots.txt rules."""


def throttle_of(redis: Redis, kind: RunKind = RunKind.BULK, **settings: Any) -> SiteThrottle:
    """Return the throttle of a run with these settings; by default without a rate limit."""
    values = {"site_rate": 0, "site_url": "http://127.0.0.1:9", **settings}
    return SiteThrottle(redis, PipelineSettings(**REQUIRED, **values, _env_file=None), kind=kind)


def send_request(throttle: SiteThrottle, subject: str, result: RequestResult, **details: Any) -> None:
    """Take a turn and report the result of its request."""
    turn = throttle.request_turn(NO_SERVER)
    assert isinstance(turn, Turn)
    throttle.report_result(NO_SERVER, subject, result, turn=turn, **details)


def end_pauses(redis: Redis) -> None:
    """Move the end of every pause into the past."""
    for key in redis.keys("site:*:breaker"):
        redis.hset(key, "until", "1")


def end_turn(redis: Redis) -> None:
    """Move the time of each site's next turn into the past."""
    for key in redis.keys("site:*:turn"):
        redis.set(key, "1")
