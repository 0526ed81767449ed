"""The rate of requests to a site over all runs, and the order in which runs get turns."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from redis import Redis

from pipeline.extract import site_throttle
from pipeline.extract.site_throttle import SiteThrottle, Turn, Wait, parse_retry_after, wait_for_turn
from pipeline.settings import PipelineSettings
from standin import running_site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, settings_for
from tests.pipeline.extract.lender_process import RunningLender
from tests.pipeline.extract.throttling import NO_SERVER, REQUIRED, end_turn, throttle_of
from warehouse.contract import RunKind


def test_several_runs_together_keep_the_allowed_rate(redis: Redis) -> None:
    throttles = [throttle_of(redis, site_rate=20) for _ in range(3)]

    def visit(throttle: SiteThrottle) -> list[float]:
        passed = []
        for _ in range(4):
            assert isinstance(wait_for_turn(throttle, NO_SERVER, max_pause=timedelta(0)), Turn)
            passed.append(time.monotonic())
            throttle.report_sent(NO_SERVER)
        return passed

    with ThreadPoolExecutor(len(throttles)) as pool:
        passed = sorted(moment for moments in pool.map(visit, throttles) for moment in moments)
    # Redis gives the turns, so a slow machine can only lengthen the time between the first and the last.
    assert passed[-1] - passed[0] >= (len(passed) - 1) / 20 - 0.02


def assert_gets_no_turn(throttle: SiteThrottle, *, seconds: float) -> None:
    """Fail if the throttle gives a turn within this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert isinstance(throttle.request_turn(NO_SERVER), Wait)
        time.sleep(0.005)


def test_no_turn_is_given_before_the_last_request_was_sent(redis: Redis) -> None:
    first, second = throttle_of(redis, site_rate=100), throttle_of(redis, site_rate=100)
    assert isinstance(wait_for_turn(first, NO_SERVER, max_pause=timedelta(0)), Turn)
    assert_gets_no_turn(second, seconds=0.05)  # several intervals, but the first run has not sent its request
    first.report_sent(NO_SERVER)
    assert isinstance(wait_for_turn(second, NO_SERVER, max_pause=timedelta(0)), Turn)


def test_each_site_has_its_own_throttle(redis: Redis) -> None:
    assert isinstance(throttle_of(redis).request_turn(NO_SERVER), Turn)  # caches robots.txt
    throttle = throttle_of(redis, site_rate=0.001)
    assert isinstance(throttle.request_turn(NO_SERVER), Turn)
    throttle.report_sent(NO_SERVER)
    assert isinstance(throttle.request_turn(NO_SERVER), Wait)
    other = "http://127.0.0.2:9/companies/x"
    assert isinstance(throttle_of(redis).request_turn(other), Turn)
    assert isinstance(throttle.request_turn(other), Turn)


def test_single_request_gets_a_turn_before_bulk_work_that_waited_longer(redis: Redis) -> None:
    bulk, person = throttle_of(redis, site_rate=10), throttle_of(redis, RunKind.PERSON, site_rate=10)
    wait_for_turn(bulk, NO_SERVER, max_pause=timedelta(0))
    assert isinstance(bulk.request_turn(NO_SERVER), Wait)
    assert isinstance(person.request_turn(NO_SERVER), Wait)
    bulk.report_sent(NO_SERVER)
    end_turn(redis)  # the next turn is free now, but not for the first run that asks
    assert isinstance(bulk.request_turn(NO_SERVER), Wait)
    assert isinstance(person.request_turn(NO_SERVER), Turn)
    person.report_sent(NO_SERVER)
    assert isinstance(wait_for_turn(bulk, NO_SERVER, max_pause=timedelta(0)), Turn)


def test_single_request_that_stops_asking_does_not_block_bulk_work(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_throttle, "_MAX_HOLD", timedelta(0))
    bulk, person = throttle_of(redis, site_rate=10), throttle_of(redis, RunKind.PERSON, site_rate=10)
    wait_for_turn(bulk, NO_SERVER, max_pause=timedelta(0))
    person.request_turn(NO_SERVER)  # and never again
    bulk.report_sent(NO_SERVER)
    assert isinstance(wait_for_turn(bulk, NO_SERVER, max_pause=timedelta(0)), Turn)


def test_turn_of_a_dead_run_is_given_to_another_run(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_throttle, "_MAX_HOLD", timedelta(seconds=0.2))
    dead, other = throttle_of(redis, site_rate=50), throttle_of(redis, site_rate=50)
    wait_for_turn(dead, NO_SERVER, max_pause=timedelta(0))  # and never reports its request
    assert isinstance(wait_for_turn(other, NO_SERVER, max_pause=timedelta(0)), Turn)


def test_late_report_does_not_shorten_the_turn_of_another_run(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other, third = (throttle_of(redis, site_rate=50) for _ in range(3))
    with monkeypatch.context() as patch:
        patch.setattr(site_throttle, "_MAX_HOLD", timedelta(0))
        wait_for_turn(slow, NO_SERVER, max_pause=timedelta(0))
    monkeypatch.setattr(site_throttle, "_MAX_HOLD", timedelta(minutes=10))
    wait_for_turn(other, NO_SERVER, max_pause=timedelta(0))  # the slow run has lost its turn
    slow.report_sent(NO_SERVER)
    assert_gets_no_turn(third, seconds=0.1)  # several intervals
    other.report_sent(NO_SERVER)
    assert isinstance(wait_for_turn(third, NO_SERVER, max_pause=timedelta(0)), Turn)


def test_redirects_delay_the_next_turn_by_their_requests(redis: Redis) -> None:
    throttle = throttle_of(redis, site_rate=10)
    wait_for_turn(throttle, NO_SERVER, max_pause=timedelta(0))
    begun = time.monotonic()
    throttle.report_sent(NO_SERVER)
    throttle.charge_requests(NO_SERVER, 2)
    wait_for_turn(throttle, NO_SERVER, max_pause=timedelta(0))
    assert time.monotonic() - begun >= 3 / 10


def test_settings_refuse_an_unlimited_rate_except_for_loopback_sites() -> None:
    with pytest.raises(ValidationError, match=r"loopback sites only, not for https://openmoney\.md"):
        PipelineSettings(**REQUIRED, site_rate=0, _env_file=None)
    settings = PipelineSettings(**REQUIRED, site_rate=0, site_url="http://127.0.0.1:8080", _env_file=None)
    assert settings.site_rate == 0


def test_concurrent_crawls_together_keep_the_rate_at_the_site(
    tmp_path: Path, redis: Redis, lender: RunningLender
) -> None:
    rate, companies, window = 2, 6, 2.5
    both_visit = threading.Barrier(2)

    def crawl(number: int, url: str) -> None:
        # One of them borrows the browser, the other one starts its own.
        settings = settings_for(
            tmp_path / str(number), url, site_rate=rate, tabs=2, browser_lender=lender.socket
        )
        idnos = [make_idno(10 * number + index) for index in range(companies)]
        for position, _ in enumerate(Crawler(settings, redis).events(idnos)):
            if position == 0:
                both_visit.wait(120)

    with running_site() as site:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(crawl, range(2), [site.url] * 2))
        assert len(site.documents()) == 2 * companies
        # A page that reaches the site late makes the next one seem early; the margin of 1.3 s allows for that.
        assert site.max_documents_in(window) <= rate * (window + 1.3)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        (None, None),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("٣", None),
        ("1e3", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_none(text: str | None, seconds: int | None) -> None:
    assert parse_retry_after(text) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_may_be_an_http_date() -> None:
    wait = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True))
    assert wait is not None
    assert timedelta(seconds=100) < wait <= timedelta(minutes=2)
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == timedelta(0)
