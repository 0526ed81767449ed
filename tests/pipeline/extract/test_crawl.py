"""Crawls of many companies: outcomes, retries, tabs, other runs, and browsers that wear out or die."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from redis import Redis

from pipeline.extract import visit
from pipeline.extract.browser import chrome_session, tabbed_browser
from pipeline.extract.browser.chrome_session import BrowserNotStarted
from pipeline.extract.crawl import Attempt, Event, Skip
from pipeline.settings import Screenshots
from standin import CASES, CaseName, running_site
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.pipeline.extract.lender_process import RunningLender
from tests.pipeline.extract.test_browser import processes_of, wait_for_no_processes
from warehouse.contract import Outcome

pytestmark = pytest.mark.usefixtures("starts_browser")


@pytest.fixture
def own_site() -> Iterator[Site]:
    """A stand-in site for one test only."""
    with running_site() as site:
        yield site


def attempts(events: list[Event], idno: str) -> list[Outcome]:
    """Return the outcomes of all attempts at a company."""
    return [
        event.capture.outcome for event in events if isinstance(event, Attempt) and event.capture.idno == idno
    ]


def test_every_case_has_its_outcome_with_several_tabs(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None of these pages retries by itself.
    monkeypatch.setattr(visit, "_FAILURE_SETTLED_SECONDS", {})
    cases = [case for case in CASES.values() if case.name is not CaseName.NEVER_RENDERS]
    crawler = Crawler(settings_for(tmp_path, own_site.url, tabs=5, browser_lender=lender.socket), redis)
    events = crawler.crawl([case.idno for case in cases])

    captures = final(events)
    assert {idno: capture.outcome for idno, capture in captures.items()} == {
        case.idno: case.outcome for case in cases
    }
    assert len(attempts(events, CASES[CaseName.CHALLENGE].idno)) == 1
    assert len(attempts(events, CASES[CaseName.NOT_FOUND].idno)) == 1
    assert len(attempts(events, CASES[CaseName.WRONG_COMPANY].idno)) == 1
    for transient in (CaseName.API_500, CaseName.API_DROPPED, CaseName.RATE_LIMITED):
        assert len(attempts(events, CASES[transient].idno)) == 3, transient
    assert attempts(events, CASES[CaseName.FLAKY].idno) == [Outcome.SERVER_ERROR, Outcome.OK]


def test_page_that_never_shows_the_company_times_out_in_each_attempt(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    idno = CASES[CaseName.NEVER_RENDERS].idno
    settings = settings_for(
        tmp_path, own_site.url, visit_timeout_seconds=2, visit_attempts=2, browser_lender=lender.socket
    )
    assert attempts(Crawler(settings, redis).crawl([idno]), idno) == [Outcome.TIMEOUT] * 2


def test_capture_contains_document_page_payloads_and_screenshot(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    redirected = CASES[CaseName.REDIRECT].idno
    settings = settings_for(
        tmp_path, own_site.url, tabs=2, screenshots=Screenshots.ALWAYS, browser_lender=lender.socket
    )
    captures = final(Crawler(settings, redis).crawl([redirected, make_idno(1), make_idno(2)]))

    capture = captures[redirected]
    assert capture.outcome is Outcome.OK
    assert [(hop.url, hop.status_code) for hop in capture.redirects] == [(own_site.page_url(redirected), 302)]
    assert capture.redirects[0].response_headers["location"].startswith(f"/ro/companies/{redirected}")
    assert capture.final_url == f"{own_site.url}/ro/companies/{redirected}"
    assert capture.response_headers is not None
    assert capture.response_headers["content-type"].startswith("text/html")
    assert {"answered_ms", "shown_ms", "decided_ms"} <= set(capture.timings)
    for company_capture in captures.values():
        # All of this company, whatever the other tabs showed at the same time.
        assert company_capture.document is not None
        assert company_capture.idno in company_capture.document.decode()
        assert "<app-root></app-root>" in company_capture.document.decode()
        assert company_capture.html is not None
        assert company_capture.idno in company_capture.html
        assert all(company_capture.idno in payload.url for payload in company_capture.payloads)
        assert all(payload.response_headers["content-type"] for payload in company_capture.payloads)
        assert company_capture.screenshot is not None
        assert company_capture.screenshot.startswith(b"\x89PNG")
    assert len({capture.screenshot for capture in captures.values()}) == 3


def test_only_outcomes_that_a_person_has_to_judge_get_a_screenshot(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    idnos = [CASES[name].idno for name in (CaseName.FOUND, CaseName.CHALLENGE, CaseName.WRONG_COMPANY)]
    captures = final(
        Crawler(settings_for(tmp_path, own_site.url, browser_lender=lender.socket), redis).crawl(idnos)
    )
    assert [captures[idno].screenshot is not None for idno in idnos] == [False, True, True]


def test_company_that_another_run_has_just_captured_is_skipped(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    first, second = make_idno(1), make_idno(2)
    crawler = Crawler(
        settings_for(tmp_path, own_site.url, tabs=1, browser_lender=lender.socket),
        redis,
        find_new_capture=lambda idno: 77 if idno == second else None,
    )
    events = crawler.crawl([first, second])
    assert events[-1] == Skip(second, 77, 0)
    assert own_site.visits(second) == 0


def test_crawl_waits_for_a_company_that_another_run_has_claimed(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    first, second = make_idno(1), make_idno(2)
    redis.set(f"claim:{first}", "another run", px=600_000)
    settings = settings_for(tmp_path, own_site.url, tabs=2, browser_lender=lender.socket)
    visited = []
    for event in Crawler(settings, redis).events([first, second]):
        assert isinstance(event, Attempt)
        visited.append(event.capture.idno)
        if event.capture.idno == second:
            assert own_site.visits(first) == 0
            redis.delete(f"claim:{first}")
    assert visited == [second, first]
    assert redis.keys("claim:*") == []


def test_claim_of_a_run_that_has_ended_is_taken_over(
    tmp_path: Path, own_site: Site, redis: Redis, lender: RunningLender
) -> None:
    idno = make_idno(1)
    redis.set(f"claim:{idno}", "dead", px=600_000)
    crawler = Crawler(
        settings_for(tmp_path, own_site.url, browser_lender=lender.socket),
        redis,
        has_ended=lambda run_id: run_id == "dead",
    )
    assert [event.capture.idno for event in crawler.crawl([idno]) if isinstance(event, Attempt)] == [idno]
    assert redis.keys("claim:*") == []


def test_ended_run_begins_no_further_visit(tmp_path: Path, own_site: Site, redis: Redis) -> None:
    checks = 0

    class Over(Exception):
        pass

    def check_run_active() -> None:
        nonlocal checks
        checks += 1
        if checks > 2:
            raise Over

    crawler = Crawler(settings_for(tmp_path, own_site.url, tabs=1), redis, check_run_active=check_run_active)
    with pytest.raises(Over):
        crawler.crawl([make_idno(number) for number in range(10)])
    assert len(own_site.documents()) == 2
    wait_for_no_processes(tmp_path)
    assert redis.keys("claim:*") == []


def test_worn_out_browser_is_replaced_between_visits(tmp_path: Path, own_site: Site, redis: Redis) -> None:
    settings = settings_for(tmp_path, own_site.url, tabs=2, browser_pages=3)
    browsers = set()
    events = []
    for event in Crawler(settings, redis).events([make_idno(number) for number in range(8)]):
        events.append(event)
        browsers |= {folder.name for folder in (tmp_path / "chrome").iterdir()}
    assert Counter(capture.outcome for capture in final(events).values()) == {Outcome.OK: 8}
    assert len(browsers) >= 2
    assert len(own_site.documents()) == 8
    assert not list((tmp_path / "chrome").iterdir())


def test_browser_that_uses_too_much_memory_is_replaced(
    tmp_path: Path, own_site: Site, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabbed_browser, "_MEMORY_CHECK_PAGES", 1)
    # How much memory Chrome shares depends on the other Chromes of the machine; it never shares all of it. The
    # setting itself takes no value below 200.
    settings = settings_for(tmp_path, own_site.url, tabs=1).model_copy(update={"browser_megabytes": 1})
    browsers = set()
    for _ in Crawler(settings, redis).events([make_idno(number) for number in range(2)]):
        browsers |= {folder.name for folder in (tmp_path / "chrome").iterdir()}
    assert len(browsers) == 2


def test_visits_in_a_killed_chrome_are_retried(tmp_path: Path, own_site: Site, redis: Redis) -> None:
    idnos = [make_idno(number) for number in range(8)]
    events: list[Event] = []
    for event in Crawler(settings_for(tmp_path, own_site.url, tabs=3), redis).events(idnos):
        events.append(event)
        if len(events) == 2:
            for process in processes_of(tmp_path):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
    outcomes = [event.capture.outcome for event in events if isinstance(event, Attempt)]
    assert Outcome.BROWSER_ERROR in outcomes
    assert {capture.outcome for capture in final(events).values()} == {Outcome.OK}
    assert set(final(events)) == set(idnos)
    wait_for_no_processes(tmp_path)


def test_crawl_ends_with_an_error_that_names_a_browser_that_never_starts(
    tmp_path: Path, own_site: Site, redis: Redis
) -> None:
    settings = settings_for(tmp_path, own_site.url, chrome_binary=Path("/bin/true"), retry_seconds=0)
    events: list[Event] = []
    with pytest.raises(BrowserNotStarted, match="/bin/true did not start"):
        events.extend(Crawler(settings, redis).events([make_idno(number) for number in range(10)]))
    assert {event.capture.outcome for event in events if isinstance(event, Attempt)} <= {
        Outcome.BROWSER_ERROR
    }
    assert own_site.documents() == []


def test_page_with_a_hanging_renderer_does_not_block_the_crawl(
    tmp_path: Path, own_site: Site, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chrome_session, "COMMAND_TIMEOUT_SECONDS", 4)
    monkeypatch.setattr(chrome_session, "_QUIT_TIMEOUT_SECONDS", 1)
    events: list[Event] = []
    settings = settings_for(tmp_path, own_site.url, tabs=2, visit_attempts=10)
    crawler = Crawler(settings, redis)
    stopped: list[psutil.Process] = []
    for event in crawler.events([make_idno(1), make_idno(2), make_idno(3)]):
        events.append(event)
        if not stopped:
            for process in processes_of(tmp_path):
                with suppress(psutil.NoSuchProcess):
                    if "--type=renderer" in process.cmdline():
                        process.suspend()
                        stopped.append(process)
    assert set(final(events)) == {make_idno(1), make_idno(2), make_idno(3)}
    assert {capture.outcome for capture in final(events).values()} == {Outcome.OK}
    assert not any(process.is_running() for process in stopped)
