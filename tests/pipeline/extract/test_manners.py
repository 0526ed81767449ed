"""One rate for a site over all runs, kept in Redis."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError
from redis import Redis

from pipeline.extract.manners import Manners
from pipeline.settings import PipelineSettings
from stack import valkey
from stack.secrets import load_or_create
from tests.platform import Platform

REQUIRED: dict[str, Any] = {
    "warehouse_url": "postgresql+psycopg2://nowhere/none",
    "redis_state_url": "redis://nowhere/0",
    "redis_cache_url": "redis://nowhere/1",
    "chrome_binary": "chrome",
    "chromedriver": "driver",
    "work_dir": "work",
}


@pytest.fixture
def redis(platform: Platform) -> Redis:
    platform.wait_until_healthy()
    port = json.loads(platform.home.state.read_text())["ports"]["valkey"]
    url = valkey.url(port, load_or_create(platform.home.secrets), valkey.STATE_DATABASE)
    return Redis.from_url(url, decode_responses=True)


def test_visits_of_several_runs_pass_one_after_the_other_at_the_allowed_rate(redis: Redis) -> None:
    site, visits_per_second = "http://a-made-up-site.test", 20
    runs = [Manners(redis, site_url=site, visits_per_second=visits_per_second) for _ in range(3)]

    def visit(run: Manners) -> list[float]:
        passed = []
        for _ in range(4):
            run.wait_turn()
            passed.append(time.monotonic())
        return passed

    with ThreadPoolExecutor(len(runs)) as pool:
        passed = sorted(moment for moments in pool.map(visit, runs) for moment in moments)
    # The slots are given out by Redis; a slow machine can only stretch what lies between the first and the last.
    assert passed[-1] - passed[0] >= (len(passed) - 1) / visits_per_second - 0.02


def test_another_site_does_not_wait(redis: Redis) -> None:
    Manners(redis, site_url="http://one.test", visits_per_second=0.001).wait_turn()
    assert Manners(redis, site_url="http://two.test", visits_per_second=0.001).wait_turn() == 0


def test_no_limit_is_for_this_machine_only() -> None:
    with pytest.raises(ValidationError, match=r"loopback sites only, not for https://openmoney\.md"):
        PipelineSettings(**REQUIRED, site_rate=0, _env_file=None)
    settings = PipelineSettings(**REQUIRED, site_rate=0, site_url="http://127.0.0.1:8080", _env_file=None)
    assert settings.site_rate == 0
