"""Pauses of a site: after a 429, and by the circuit breaker with its probe."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis import Redis

from pipeline.extract.crawl import Attempt, Deferral
from pipeline.extract.site_throttle import (
    Paused,
    RequestResult,
    SiteThrottle,
    Turn,
    current_pauses,
    wait_for_turn,
)
from standin import running_site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.pipeline.extract.lender_process import RunningLender
from tests.pipeline.extract.throttling import NO_SERVER, end_pauses, send_request, throttle_of
from warehouse.contract import Outcome, RunKind


def probing_throttle(redis: Redis) -> SiteThrottle:
    """Return a throttle whose breaker is open but whose pause has just ended, so that a probe comes next."""
    throttle = throttle_of(redis, breaker_challenges=1, breaker_seconds=60, visit_timeout_seconds=5)
    send_request(throttle, "1", RequestResult.BLOCKED)
    assert isinstance(throttle.request_turn(NO_SERVER), Paused)
    end_pauses(redis)
    return throttle


def test_429_pauses_the_site_for_all_runs_for_the_time_in_retry_after(redis: Redis) -> None:
    throttle, other = throttle_of(redis), throttle_of(redis, RunKind.PERSON)
    send_request(throttle, "1", RequestResult.BLOCKED, rate_limited=True, retry_after="600")
    answer = other.request_turn(NO_SERVER)
    assert isinstance(answer, Paused)
    assert timedelta(seconds=500) < answer.until - datetime.now(UTC) <= timedelta(seconds=600)
    assert "429" in answer.reason
    assert current_pauses(redis)["127.0.0.1:9"].reason == answer.reason
    end_pauses(redis)
    send_request(other, "1", RequestResult.WELL)
    assert current_pauses(redis) == {}


def test_run_waits_out_a_short_pause_and_returns_a_long_one(redis: Redis) -> None:
    throttle = throttle_of(redis)
    begun = time.monotonic()
    send_request(throttle, "1", RequestResult.BLOCKED, rate_limited=True, retry_after="1")
    assert isinstance(wait_for_turn(throttle, NO_SERVER, max_pause=timedelta(seconds=5)), Turn)
    assert time.monotonic() - begun >= 0.99  # Redis counts in milliseconds
    throttle.report_result(
        NO_SERVER, "1", RequestResult.BLOCKED, turn=Turn(), rate_limited=True, retry_after="600"
    )
    assert isinstance(wait_for_turn(throttle, NO_SERVER, max_pause=timedelta(seconds=5)), Paused)


def test_breaker_opens_after_several_companies_were_challenged_in_a_row(redis: Redis) -> None:
    throttle = throttle_of(redis, breaker_challenges=3, breaker_seconds=60)
    for idno in ("1", "2", "2"):
        send_request(throttle, idno, RequestResult.BLOCKED)
    send_request(throttle, "9", RequestResult.WELL)  # the site serves us, so the count starts again
    for idno in ("3", "4"):
        send_request(throttle, idno, RequestResult.BLOCKED)
    send_request(throttle, "5", RequestResult.UNKNOWN)  # changes nothing
    send_request(throttle, "6", RequestResult.BLOCKED)
    answer = throttle.request_turn(NO_SERVER)
    assert isinstance(answer, Paused)
    assert "challenges" in answer.reason
    assert answer.until > datetime.now(UTC) + timedelta(seconds=50)


def test_after_a_pause_one_probe_is_sent_while_all_other_runs_wait(redis: Redis) -> None:
    throttle = probing_throttle(redis)
    probe = throttle.request_turn(NO_SERVER)
    assert probe == Turn(is_probe=True)
    assert isinstance(throttle_of(redis).request_turn(NO_SERVER), Paused)
    throttle.report_result(NO_SERVER, "1", RequestResult.WELL, turn=probe)
    assert throttle.request_turn(NO_SERVER) == Turn(is_probe=False)
    assert current_pauses(redis) == {}


def test_challenged_probe_doubles_the_pause(redis: Redis) -> None:
    throttle = probing_throttle(redis)
    lengths = []
    for _ in range(2):
        probe = throttle.request_turn(NO_SERVER)
        assert isinstance(probe, Turn)
        throttle.report_result(NO_SERVER, "1", RequestResult.BLOCKED, turn=probe)
        paused = throttle.request_turn(NO_SERVER)
        assert isinstance(paused, Paused)
        lengths.append((paused.until - datetime.now(UTC)).total_seconds())
        end_pauses(redis)
    assert 100 < lengths[0] <= 120 < 220 < lengths[1] <= 240


def test_visit_that_began_before_the_pause_does_not_end_it(redis: Redis) -> None:
    throttle = throttle_of(redis, breaker_challenges=1, breaker_seconds=60)
    earlier = throttle.request_turn(NO_SERVER)
    assert isinstance(earlier, Turn)
    send_request(throttle, "1", RequestResult.BLOCKED)
    throttle.report_result(NO_SERVER, "2", RequestResult.WELL, turn=earlier)
    assert isinstance(throttle.request_turn(NO_SERVER), Paused)


def test_probe_of_a_dead_run_is_replaced_by_another_one(redis: Redis) -> None:
    throttle = probing_throttle(redis)
    assert throttle.request_turn(NO_SERVER) == Turn(is_probe=True)
    paused = throttle.request_turn(NO_SERVER)
    assert isinstance(paused, Paused)
    # The longest duration of a visit, with a margin.
    assert timedelta(0) < paused.until - datetime.now(UTC) <= timedelta(seconds=36)


def test_crawl_of_a_site_that_challenges_all_visits_stops_and_resumes_by_a_probe(
    tmp_path: Path, redis: Redis, lender: RunningLender
) -> None:
    idnos = [make_idno(number) for number in range(20)]
    with running_site() as site:
        settings = settings_for(
            tmp_path,
            site.url,
            tabs=2,
            breaker_challenges=3,
            breaker_seconds=300,
            longest_wait_seconds=0,
            browser_lender=lender.socket,
        )
        crawler = Crawler(settings, redis)
        site.challenging = True
        events = crawler.crawl(idnos)
        visited = len(site.documents())
        # Three challenges open the breaker; the other tab may have had a visit in progress.
        assert 3 <= visited <= 4
        deferred = [event for event in events if isinstance(event, Deferral)]
        assert len(deferred) == len(idnos) - visited
        assert all("challenges" in event.reason for event in deferred)
        assert all(isinstance(event, Deferral) for event in crawler.crawl(idnos))
        assert len(site.documents()) == visited

        end_pauses(redis)
        events = crawler.crawl(idnos)  # still challenged: only the probe is sent
        assert len(site.documents()) == visited + 1
        [probe] = [event for event in events if isinstance(event, Attempt)]
        assert probe.capture.outcome is Outcome.BLOCKED

        site.challenging = False
        end_pauses(redis)
        patient = Crawler(settings.model_copy(update={"longest_wait_seconds": 120}), redis)
        events = patient.crawl(idnos[:5])
    assert {capture.outcome for capture in final(events).values()} == {Outcome.OK}
    assert current_pauses(redis) == {}
