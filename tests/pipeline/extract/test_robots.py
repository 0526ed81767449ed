"""robots.txt: its rules, its crawl delay, and one that cannot be fetched."""

import time
from datetime import timedelta
from pathlib import Path

from redis import Redis

from pipeline.extract.robots import Robots
from pipeline.extract.site_throttle import ForbiddenByRobots, Paused, Turn, wait_for_turn
from standin import running_site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.pipeline.extract.lender_process import RunningLender
from tests.pipeline.extract.throttling import NO_SERVER, throttle_of
from warehouse.contract import Outcome


def test_page_that_robots_txt_disallows_is_blocked_without_a_request(
    tmp_path: Path, redis: Redis, lender: RunningLender
) -> None:
    with running_site(robots=f"User-agent: Registru\nDisallow: /companies/{make_idno(1)}\n") as site:
        settings = settings_for(tmp_path, site.url, browser_lender=lender.socket)
        events = Crawler(settings, redis).crawl([make_idno(1), make_idno(2)])
        assert [document.idno for document in site.documents()] == [make_idno(2)]
    refused = final(events)[make_idno(1)]
    assert refused.outcome is Outcome.BLOCKED
    assert refused.status_code is None
    assert refused.error is not None
    assert "robots.txt" in refused.error


def test_crawl_delay_is_kept_even_if_the_settings_allow_a_higher_rate(redis: Redis) -> None:
    delay = 0.3
    with running_site(robots=f"User-agent: *\nCrawl-delay: {delay}\n") as site:
        throttle, url = throttle_of(redis, site_url=site.url), site.page_url(make_idno(1))
        sent_at = None
        for _ in range(4):
            assert isinstance(wait_for_turn(throttle, url, max_pause=timedelta(0)), Turn)
            if sent_at is not None:
                assert time.monotonic() - sent_at >= delay
            sent_at = time.monotonic()
            throttle.report_sent(url)


def test_site_without_robots_txt_may_be_visited(redis: Redis) -> None:
    with running_site() as site:
        site.robots_status = 404
        assert isinstance(
            throttle_of(redis, site_url=site.url).request_turn(site.page_url(make_idno(1))), Turn
        )


def test_site_that_does_not_answer_is_soon_asked_for_its_robots_txt_again(redis: Redis) -> None:
    assert isinstance(throttle_of(redis).request_turn(NO_SERVER), Turn)
    [key] = redis.keys("site:*:robots")
    assert 0 < redis.ttl(key) <= Robots.FAILURE_TTL.total_seconds()


def test_robots_txt_with_a_server_error_pauses_the_site(redis: Redis) -> None:
    with running_site() as site:
        site.robots_status = 500
        throttle = throttle_of(redis, site_url=site.url)
        for _ in range(3):
            answer = throttle.request_turn(site.page_url(make_idno(1)))
            assert isinstance(answer, Paused)
            assert "robots.txt" in answer.reason
        assert [request.path for request in site.requests] == ["/robots.txt"]


def test_robots_txt_is_fetched_once_for_all_runs(redis: Redis) -> None:
    with running_site() as site:
        for _ in range(3):
            throttle = throttle_of(redis, site_url=site.url)
            assert isinstance(throttle.request_turn(site.page_url(make_idno(1))), Turn)
        assert [request.path for request in site.requests] == ["/robots.txt"]


def test_answer_for_a_disallowed_page_names_its_path(redis: Redis) -> None:
    with running_site(robots="User-agent: *\nDisallow: /\n") as site:
        answer = throttle_of(redis, site_url=site.url).request_turn(site.page_url(make_idno(1)))
    assert isinstance(answer, ForbiddenByRobots)
    assert f"/companies/{make_idno(1)}" in answer.reason
