"""Manners towards a site, over all runs: the rate, people first, robots.txt, Retry-After, the circuit breaker."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from redis import Redis

from pipeline.extract.crawl import Attempt, Deferral
from pipeline.extract.direct_client import DisallowedByRobots, FetchFailed, SitePaused, direct_client
from pipeline.extract.site_throttle import (
    ForbiddenByRobots,
    Paused,
    RequestResult,
    SiteThrottle,
    Turn,
    Wait,
    parse_retry_after,
    pauses,
    wait_for_turn,
)
from pipeline.settings import PipelineSettings
from standin import running_site
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from warehouse.contract import Outcome, RunKind

REQUIRED: dict[str, Any] = {
    "warehouse_url": "postgresql+psycopg2://nowhere/none",
    "redis_state_url": "redis://nowhere/0",
    "redis_cache_url": "redis://nowhere/1",
    "chrome_binary": "chrome",
    "chromedriver": "driver",
    "work_dir": "work",
}
NOBODY = "http://127.0.0.1:9/companies/x"
"""Nobody answers there: its robots.txt says nothing."""


def manners_of(redis: Redis, kind: RunKind = RunKind.BULK, **settings: Any) -> SiteThrottle:
    values = {"site_rate": 0, "site_url": "http://127.0.0.1:9", **settings}
    return SiteThrottle(redis, PipelineSettings(**REQUIRED, **values, _env_file=None), kind=kind)


def test_visits_of_several_runs_pass_one_after_the_other_at_the_allowed_rate(redis: Redis) -> None:
    runs = [manners_of(redis, site_rate=20) for _ in range(3)]

    def visit(run: SiteThrottle) -> list[float]:
        passed = []
        for _ in range(4):
            assert isinstance(wait_for_turn(run, NOBODY, longest=timedelta(0)), Turn)
            passed.append(time.monotonic())
            run.sent(NOBODY)
        return passed

    with ThreadPoolExecutor(len(runs)) as pool:
        passed = sorted(moment for moments in pool.map(visit, runs) for moment in moments)
    # The turns are given out by Redis; a slow machine can only stretch what lies between the first and the last.
    assert passed[-1] - passed[0] >= (len(passed) - 1) / 20 - 0.02


def test_nobody_gets_a_turn_before_the_last_request_was_really_sent(redis: Redis) -> None:
    first, second = manners_of(redis, site_rate=100), manners_of(redis, site_rate=100)
    assert isinstance(wait_for_turn(first, NOBODY, longest=timedelta(0)), Turn)
    until = time.monotonic() + 0.3  # far more than the interval: the first one's request is still on its way
    while time.monotonic() < until:
        assert isinstance(second.ask(NOBODY), Wait)
    first.sent(NOBODY)
    assert isinstance(wait_for_turn(second, NOBODY, longest=timedelta(0)), Turn)


def test_another_site_does_not_wait(redis: Redis) -> None:
    assert isinstance(manners_of(redis).ask(NOBODY), Turn)  # robots.txt is known from here on
    run = manners_of(redis, site_rate=0.001)
    assert isinstance(run.ask(NOBODY), Turn)
    run.sent(NOBODY)
    assert isinstance(run.ask(NOBODY), Wait)
    other = "http://127.0.0.2:9/companies/x"
    assert isinstance(manners_of(redis).ask(other), Turn)
    assert isinstance(run.ask(other), Turn)


def test_people_come_before_bulk_work_however_long_that_has_waited(redis: Redis) -> None:
    bulk, person = manners_of(redis, site_rate=10), manners_of(redis, RunKind.PERSON, site_rate=10)
    wait_for_turn(bulk, NOBODY, longest=timedelta(0))
    assert isinstance(bulk.ask(NOBODY), Wait)
    assert isinstance(person.ask(NOBODY), Wait)
    bulk.sent(NOBODY)
    time.sleep(0.2)  # the next turn is free now: who asks first is not who gets it
    assert isinstance(bulk.ask(NOBODY), Wait)
    assert isinstance(person.ask(NOBODY), Turn)
    person.sent(NOBODY)
    assert isinstance(wait_for_turn(bulk, NOBODY, longest=timedelta(0)), Turn)


def test_a_person_who_went_away_holds_bulk_work_up_no_longer(redis: Redis) -> None:
    bulk, person = manners_of(redis, site_rate=10), manners_of(redis, RunKind.PERSON, site_rate=10)
    wait_for_turn(bulk, NOBODY, longest=timedelta(0))
    person.ask(NOBODY)  # and never again
    bulk.sent(NOBODY)
    begun = time.monotonic()
    assert isinstance(wait_for_turn(bulk, NOBODY, longest=timedelta(0)), Turn)
    assert time.monotonic() - begun < 30


def test_a_dead_runs_turn_is_given_to_another(redis: Redis) -> None:
    wait_for_turn(manners_of(redis, site_rate=50), NOBODY, longest=timedelta(0))  # it never says that it sent
    assert isinstance(wait_for_turn(manners_of(redis, site_rate=50), NOBODY, longest=timedelta(0)), Turn)


def test_who_was_too_slow_to_use_a_turn_does_not_shorten_the_one_of_another(redis: Redis) -> None:
    slow, other, third = (manners_of(redis, site_rate=10) for _ in range(3))
    wait_for_turn(slow, NOBODY, longest=timedelta(0))
    wait_for_turn(other, NOBODY, longest=timedelta(0))  # the slow one's turn was given away
    slow.sent(NOBODY)
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        assert isinstance(third.ask(NOBODY), Wait)
    other.sent(NOBODY)
    assert isinstance(wait_for_turn(third, NOBODY, longest=timedelta(0)), Turn)


def test_a_redirect_puts_the_next_turn_off_by_the_requests_that_it_was(redis: Redis) -> None:
    run = manners_of(redis, site_rate=2)
    wait_for_turn(run, NOBODY, longest=timedelta(0))
    begun = time.monotonic()
    run.sent(NOBODY)
    run.charge(NOBODY, requests=2)
    wait_for_turn(run, NOBODY, longest=timedelta(0))
    assert time.monotonic() - begun > 1.4


def test_no_limit_is_for_this_machine_only() -> None:
    with pytest.raises(ValidationError, match=r"loopback sites only, not for https://openmoney\.md"):
        PipelineSettings(**REQUIRED, site_rate=0, _env_file=None)
    settings = PipelineSettings(**REQUIRED, site_rate=0, site_url="http://127.0.0.1:8080", _env_file=None)
    assert settings.site_rate == 0


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
def test_retry_after_is_seconds_or_nothing(text: str | None, seconds: int | None) -> None:
    assert parse_retry_after(text) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_may_be_a_date() -> None:
    wait = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True))
    assert wait is not None
    assert timedelta(seconds=100) < wait <= timedelta(minutes=2)
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == timedelta(0)


# Robots.


def test_what_robots_txt_disallows_is_never_asked_for_and_is_said(tmp_path: Path, redis: Redis) -> None:
    with running_site(robots=f"User-agent: Registru\nDisallow: /companies/{make_idno(1)}\n") as site:
        events = Crawler(settings_for(tmp_path, site.url), redis).crawl([make_idno(1), make_idno(2)])
        assert [document.idno for document in site.documents()] == [make_idno(2)]
    refused = final(events)[make_idno(1)]
    assert refused.outcome is Outcome.BLOCKED
    assert refused.status_code is None
    assert refused.error is not None
    assert "robots.txt" in refused.error


def test_a_crawl_delay_is_kept_even_where_the_operator_allows_more(tmp_path: Path, redis: Redis) -> None:
    with running_site(robots="User-agent: *\nCrawl-delay: 0.8\n") as site:
        Crawler(settings_for(tmp_path, site.url), redis).crawl([make_idno(number) for number in range(4)])
        times = [document.time for document in site.documents()]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(gaps) == 3
    # A page may be late at the site, and the next one then seems early.
    assert min(gaps) >= 0.6
    assert sum(gaps) >= 3 * 0.8 - 0.1


def test_a_site_without_robots_txt_may_be_visited(redis: Redis) -> None:
    with running_site() as site:
        site.robots_status = 404
        assert isinstance(manners_of(redis, site_url=site.url).ask(site.page_url(make_idno(1))), Turn)


def test_a_robots_txt_that_fails_forbids_everything_for_a_while(redis: Redis) -> None:
    with running_site() as site:
        site.robots_status = 500
        run = manners_of(redis, site_url=site.url)
        for _ in range(3):
            answer = run.ask(site.page_url(make_idno(1)))
            assert isinstance(answer, Paused)
            assert "robots.txt" in answer.reason
        assert [request.path for request in site.requests] == ["/robots.txt"]


def test_robots_txt_is_fetched_once_for_all_runs(redis: Redis) -> None:
    with running_site() as site:
        for _ in range(3):
            run = manners_of(redis, site_url=site.url)
            assert isinstance(run.ask(site.page_url(make_idno(1))), Turn)
        assert [request.path for request in site.requests] == ["/robots.txt"]


# Retry-After and the circuit breaker.


def answered(run: SiteThrottle, idno: str, went: RequestResult, **others: Any) -> None:
    turn = run.ask(NOBODY)
    assert isinstance(turn, Turn)
    run.answered(NOBODY, idno, went, turn=turn, **others)


def test_after_a_429_everybody_leaves_the_site_alone_for_as_long_as_it_says(redis: Redis) -> None:
    run, other = manners_of(redis), manners_of(redis, RunKind.PERSON)
    answered(run, "1", RequestResult.BLOCKED, limited=True, retry_after="1")
    answer = other.ask(NOBODY)
    assert isinstance(answer, Paused)
    assert answer.until > datetime.now(UTC) + timedelta(seconds=0.5)
    assert "429" in answer.reason
    assert pauses(redis)["127.0.0.1:9"].reason == answer.reason
    assert isinstance(wait_for_turn(other, NOBODY, longest=timedelta(seconds=5)), Turn)
    answered(other, "1", RequestResult.WELL)
    assert pauses(redis) == {}


def test_the_breaker_opens_after_several_companies_were_challenged_in_a_row(redis: Redis) -> None:
    run = manners_of(redis, breaker_challenges=3, breaker_seconds=60)
    for idno in ("1", "2", "2"):
        answered(run, idno, RequestResult.BLOCKED)
    answered(run, "9", RequestResult.WELL)  # it serves us: counting begins anew
    for idno in ("3", "4"):
        answered(run, idno, RequestResult.BLOCKED)
    answered(run, "5", RequestResult.UNKNOWN)  # says nothing either way
    answered(run, "6", RequestResult.BLOCKED)
    answer = run.ask(NOBODY)
    assert isinstance(answer, Paused)
    assert "challenges" in answer.reason
    assert answer.until > datetime.now(UTC) + timedelta(seconds=50)


def end_pauses(redis: Redis) -> None:
    """Have the time of every pause be over."""
    for key in redis.keys("site:*:breaker"):
        redis.hset(key, "until", "1")


def opened(redis: Redis) -> SiteThrottle:
    """Return manners of a site at which the breaker was open until just now."""
    run = manners_of(redis, breaker_challenges=1, breaker_seconds=60, visit_timeout_seconds=5)
    answered(run, "1", RequestResult.BLOCKED)
    assert isinstance(run.ask(NOBODY), Paused)
    end_pauses(redis)
    return run


def test_after_the_pause_one_probe_goes_and_all_others_wait_for_it(redis: Redis) -> None:
    run = opened(redis)
    probe = run.ask(NOBODY)
    assert probe == Turn(is_probe=True)
    assert isinstance(manners_of(redis).ask(NOBODY), Paused)
    run.answered(NOBODY, "1", RequestResult.WELL, turn=probe)
    assert run.ask(NOBODY) == Turn(is_probe=False)
    assert pauses(redis) == {}


def test_a_probe_that_is_challenged_doubles_the_pause(redis: Redis) -> None:
    run = opened(redis)
    lengths = []
    for _ in range(2):
        probe = run.ask(NOBODY)
        assert isinstance(probe, Turn)
        run.answered(NOBODY, "1", RequestResult.BLOCKED, turn=probe)
        paused = run.ask(NOBODY)
        assert isinstance(paused, Paused)
        lengths.append((paused.until - datetime.now(UTC)).total_seconds())
        end_pauses(redis)
    assert 100 < lengths[0] <= 120 < 220 < lengths[1] <= 240


def test_a_visit_from_before_the_pause_does_not_end_it(redis: Redis) -> None:
    run = manners_of(redis, breaker_challenges=1, breaker_seconds=60)
    earlier = run.ask(NOBODY)
    assert isinstance(earlier, Turn)
    answered(run, "1", RequestResult.BLOCKED)
    run.answered(NOBODY, "2", RequestResult.WELL, turn=earlier)
    assert isinstance(run.ask(NOBODY), Paused)


def test_a_probe_that_dies_lets_another_one_go(redis: Redis) -> None:
    run = opened(redis)
    assert run.ask(NOBODY) == Turn(is_probe=True)
    paused = run.ask(NOBODY)
    assert isinstance(paused, Paused)
    # The longest a visit may take, and then some.
    assert timedelta(0) < paused.until - datetime.now(UTC) <= timedelta(seconds=36)


def test_a_site_that_challenges_everybody_is_asked_no_more_and_then_by_one_probe(
    tmp_path: Path, redis: Redis
) -> None:
    idnos = [make_idno(number) for number in range(20)]
    with running_site() as site:
        settings = settings_for(
            tmp_path, site.url, tabs=2, breaker_challenges=3, breaker_seconds=300, longest_wait_seconds=0
        )
        crawler = Crawler(settings, redis)
        site.challenging = True
        events = crawler.crawl(idnos)
        asked = len(site.documents())
        # Three open it; a tab beside may have been under way.
        assert 3 <= asked <= 4
        deferred = [event for event in events if isinstance(event, Deferral)]
        assert len(deferred) == len(idnos) - asked
        assert all("challenges" in event.reason for event in deferred)
        assert all(isinstance(event, Deferral) for event in crawler.crawl(idnos))
        assert len(site.documents()) == asked

        end_pauses(redis)
        events = crawler.crawl(idnos)  # still challenged: one probe, then silence
        assert len(site.documents()) == asked + 1
        [probe] = [event for event in events if isinstance(event, Attempt)]
        assert probe.capture.outcome is Outcome.BLOCKED

        site.challenging = False
        end_pauses(redis)
        patient = Crawler(settings.model_copy(update={"longest_wait_seconds": 120}), redis)
        events = patient.crawl(idnos[:5])
    assert {capture.outcome for capture in final(events).values()} == {Outcome.OK}
    assert pauses(redis) == {}


def test_three_crawls_at_once_keep_the_rate_at_the_site(tmp_path: Path, redis: Redis) -> None:
    rate, companies = 2.0, 5

    def crawl(number: int, url: str) -> None:
        settings = settings_for(tmp_path / str(number), url, site_rate=rate, tabs=2)
        first = 10 * number
        Crawler(settings, redis).crawl([make_idno(first + each) for each in range(companies)])

    with running_site() as site:
        threads = [threading.Thread(target=crawl, args=(number, site.url)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(site.documents()) == 3 * companies
        for seconds in (1, 2, 5):
            # A page may be late at the site, and the next one then seems early.
            assert site.max_documents_in(seconds - 0.3) <= rate * seconds


# Requests without a browser.


def api_url(site: Site, path: str) -> str:
    return f"{site.api_url}{path}"


def test_a_direct_request_says_who_we_are_and_obeys_robots(tmp_path: Path, redis: Redis) -> None:
    with running_site(robots="User-agent: *\nDisallow: /api/companies/\n") as site:
        settings = settings_for(tmp_path, site.url)
        with direct_client(settings, SiteThrottle(redis, settings, kind=RunKind.BULK)) as http:
            assert http.get(api_url(site, "/api/companies?page=0&size=1")).status_code == 200
            with pytest.raises(DisallowedByRobots, match=r"robots\.txt"):
                http.get(api_url(site, f"/api/companies/{make_idno(1)}"))


def test_a_direct_request_to_nobody_fails_after_all_attempts_and_says_why(
    tmp_path: Path, redis: Redis
) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:9", retry_seconds=0)
    with (
        direct_client(settings, SiteThrottle(redis, settings, kind=RunKind.BULK)) as http,
        pytest.raises(FetchFailed, match="ConnectError"),
    ):
        http.get("http://127.0.0.1:9/api/companies?page=0&size=1")


def test_a_direct_request_to_a_site_that_is_left_alone_says_until_when(tmp_path: Path, redis: Redis) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:9", breaker_challenges=1, longest_wait_seconds=0)
    run = SiteThrottle(redis, settings, kind=RunKind.BULK)
    answered(run, "1", RequestResult.BLOCKED)
    with direct_client(settings, run) as http, pytest.raises(SitePaused, match="left alone until"):
        http.get(NOBODY)


def test_forbidden_names_the_page(redis: Redis) -> None:
    with running_site(robots="User-agent: *\nDisallow: /\n") as site:
        answer = manners_of(redis, site_url=site.url).ask(site.page_url(make_idno(1)))
    assert isinstance(answer, ForbiddenByRobots)
    assert f"/companies/{make_idno(1)}" in answer.reason
