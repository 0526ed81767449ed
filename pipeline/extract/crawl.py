"""The crawl of a run: visits many companies with several tabs side by side and retries transient failures."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from pipeline.extract.browser.chrome_session import BrowserNotStarted
from pipeline.extract.browser.tabbed_browser import TabbedBrowser
from pipeline.extract.browser.tabs import DRIVER_ERRORS, Tab
from pipeline.extract.claims import Claims
from pipeline.extract.page_capture import Capture
from pipeline.extract.page_verdict import PageVerdict
from pipeline.extract.retries import is_transient, request_result, retry_delay
from pipeline.extract.site_throttle import ForbiddenByRobots, Paused, SiteThrottle, Turn, Wait
from pipeline.extract.visit import Visit, unvisited_capture
from pipeline.settings import PipelineSettings
from telemetry.tallies import Tallies
from warehouse.contract import Outcome

_POLL_SECONDS = 0.02
_PAUSED_POLL_SECONDS = 0.5
_CLAIM_RETRY_SECONDS = 1.0
"""How long until the crawl tries again to claim a company that another run is visiting."""
_MAX_FAILED_STARTS = 3


@dataclass(frozen=True)
class Attempt:
    """A visit that has ended or could not begin.

    `retry_in` is the delay until the next attempt, None if no further attempt follows. `turn_wait` is how long the
    visit waited for a turn at the site, None if the visit could not begin.
    """

    capture: Capture
    retry_in: timedelta | None
    turn_wait: timedelta | None = None


@dataclass(frozen=True)
class Skip:
    """A company that is not visited: since the request, another run has stored a capture of it (`source_data_id`)."""

    idno: str
    source_data_id: int
    attempts: int


@dataclass(frozen=True)
class Deferral:
    """A company whose visit is postponed because its site is paused until `until`."""

    idno: str
    until: datetime
    reason: str
    attempts: int


Event = Attempt | Skip | Deferral


@dataclass
class _PendingCompany:
    """A company that waits for its first or next visit. Times are readings of the monotonic clock, in seconds."""

    idno: str
    not_before: float = 0.0
    attempts: int = 0
    waiting_since: float | None = None
    """When the company began to wait for a turn at the site; None if it is not waiting."""


@dataclass
class _ActiveVisit:
    """A visit in progress."""

    company: _PendingCompany
    visit: Visit
    turn: Turn
    turn_at: float
    """When the turn was given, in seconds since 1970."""
    turn_wait: timedelta
    is_sent_reported: bool = False


class Crawl:
    """Visits companies, with retries. Defers the remaining companies if a pause of the site is too long to wait for."""

    def __init__(
        self,
        settings: PipelineSettings,
        throttle: SiteThrottle,
        claims: Claims,
        tallies: Tallies,
        *,
        run_id: str,
        find_new_capture: Callable[[str], int | None],
        check_run_active: Callable[[], None],
        may_borrow: bool = False,
    ) -> None:
        """Prepare the crawl; no browser starts before the first visit.

        Args:
            settings: The settings of the run.
            throttle: The throttle of the site.
            claims: The run's claims on companies.
            tallies: The run's metrics.
            run_id: The run that the crawl belongs to.
            find_new_capture: Returns the id of a capture that another run stored after the company was requested,
                None if there is none.
            check_run_active: Raises if the run was cancelled or Dagster has given it up; called before each visit.
            may_borrow: Whether to borrow a running browser from the lender, if one is free.
        """
        self._settings, self._throttle, self._claims = settings, throttle, claims
        self._find_new_capture, self._check_run_active = find_new_capture, check_run_active
        self._browser = TabbedBrowser(settings, tallies, run_id=run_id, may_borrow=may_borrow)
        self._pending: list[_PendingCompany] = []
        self._active: list[_ActiveVisit] = []
        self._next_turn_request = 0.0
        self._paused: Paused | None = None

    def visit_all(self, idnos: Iterable[str]) -> Iterator[Event]:
        """Visit all companies; yield each attempt, skip and deferral as it happens.

        Raises BrowserNotStarted if the browser fails to start several times in a row, and whatever `check_run_active`
        raises. At the end, even after an error, ends the browser or returns it to the lender.
        """
        self._pending = [_PendingCompany(idno) for idno in idnos]
        try:
            while self._pending or self._active:
                yield from self._begin_visits()
                yield from self._advance_visits()
                if self._paused is not None and not self._active:
                    yield from self._defer_pending(self._paused)
        finally:
            self._browser.close()
            with suppress(RedisError):  # claims expire by themselves
                self._claims.release_all()

    def url_of(self, idno: str) -> str:
        """Return the URL of a company's page."""
        return f"{self._settings.site_url.rstrip('/')}/companies/{idno}"

    def _begin_visits(self) -> Iterator[Event]:
        """Begin visits until no tab is free, no turn is granted or no company is ready for a visit."""
        while (
            self._paused is None and len(self._active) < self._settings.tabs and self._browser.accepts_visits
        ):
            now = time.monotonic()
            company = next((pending for pending in self._pending if pending.not_before <= now), None)
            if company is None or now < self._next_turn_request:
                return
            if not self._claims.acquire(company.idno):
                company.not_before = now + _CLAIM_RETRY_SECONDS
                continue
            self._check_run_active()
            if (source_data_id := self._find_new_capture(company.idno)) is not None:
                self._remove(company)
                yield Skip(company.idno, source_data_id, company.attempts)
                continue
            yield from self._begin_with_turn(company)

    def _begin_with_turn(self, company: _PendingCompany) -> Iterator[Event]:
        url = self.url_of(company.idno)
        company.waiting_since = company.waiting_since or time.monotonic()
        if paused := self._throttle.current_pause(url):
            self._postpone(paused)
            return
        try:
            # Get the tab before the turn. Otherwise other runs would have to wait while this run starts a browser.
            tab = self._browser.free_tab()
        except BrowserNotStarted as error:
            yield self._fail_unvisited(company, str(error), Outcome.BROWSER_ERROR)
            if self._browser.failed_starts >= _MAX_FAILED_STARTS and self._pending:
                raise
            return
        answer = self._throttle.request_turn(url)
        if isinstance(answer, Turn):
            self._begin(company, answer, tab)
        elif isinstance(answer, ForbiddenByRobots):
            yield self._fail_unvisited(company, answer.reason, Outcome.BLOCKED)
        else:
            self._postpone(answer)

    def _postpone(self, answer: Wait | Paused) -> None:
        """Set when to ask for a turn again. Store a pause that is too long to wait for; companies are then deferred."""
        if isinstance(answer, Wait):
            self._next_turn_request = time.monotonic() + answer.seconds
            return
        left = (answer.until - datetime.now(UTC)).total_seconds()
        if left > self._settings.longest_wait_seconds:
            self._paused = answer
        # Ask again before the pause is over: a successful probe of any run ends it early, for all runs.
        self._next_turn_request = time.monotonic() + min(max(_POLL_SECONDS, left), _PAUSED_POLL_SECONDS)

    def _begin(self, company: _PendingCompany, turn: Turn, tab: Tab) -> None:
        company.attempts += 1
        self._pending.remove(company)
        visit = Visit(
            tab,
            self.url_of(company.idno),
            company.idno,
            timeout_seconds=self._settings.visit_timeout_seconds,
            attempt=company.attempts,
            screenshots=self._settings.screenshots,
        )
        turn_wait = timedelta(seconds=time.monotonic() - (company.waiting_since or time.monotonic()))
        company.waiting_since = None
        self._active.append(_ActiveVisit(company, visit, turn, time.time(), turn_wait))
        self._browser.occupy(tab)
        visit.begin()

    def _fail_unvisited(self, company: _PendingCompany, reason: str, outcome: Outcome) -> Attempt:
        """Return a failed attempt for a visit that could not begin. Queue a retry if the outcome allows one."""
        company.attempts += 1
        self._pending.remove(company)
        capture = unvisited_capture(
            self.url_of(company.idno), company.idno, reason=reason, outcome=outcome, attempt=company.attempts
        )
        return Attempt(capture, self._schedule_retry(company, PageVerdict(outcome, reason)))

    def _advance_visits(self) -> Iterator[Event]:
        """Advance every active visit by one step; sleep for a moment if none has finished."""
        if self._active:
            self._step_all()
        finished = [active for active in self._active if active.visit.verdict is not None]
        for active in finished:
            yield self._finish(active)
            # Yield the event first. Otherwise the caller would have to wait until the tab has left the page.
            self._browser.release_tab(active.visit)
        if not finished:
            time.sleep(_POLL_SECONDS)

    def _step_all(self) -> None:
        try:
            events = self._browser.network_events()
        except DRIVER_ERRORS as error:
            self._abort_all(str(error).partition("\n")[0] or type(error).__name__)
            return
        for active in self._active:
            visit = active.visit
            visit.feed(events.get(visit.tab.handle, ()))
            self._report_sent(active)
            visit.step()
        if any(active.visit.is_aborted for active in self._active):
            self._abort_all("the browser was discarded because another page in it did not answer")

    def _report_sent(self, active: _ActiveVisit) -> None:
        sent_at = active.visit.sent_at
        if sent_at is None or active.is_sent_reported:
            return
        # The request cannot be older than the turn; if it seems older, a remote browser's clock differs from ours.
        ago = min(time.time() - sent_at, time.time() - active.turn_at)
        self._throttle.report_sent(active.visit.url, seconds_ago=ago)
        active.is_sent_reported = True

    def _abort_all(self, reason: str) -> None:
        for active in self._active:
            active.visit.abort(reason)
        self._browser.discard()

    def _finish(self, active: _ActiveVisit) -> Event:
        visit, company = active.visit, active.company
        verdict, capture = visit.verdict, visit.capture()
        assert verdict is not None
        self._active.remove(active)
        if visit.redirect_count:
            self._throttle.charge_requests(visit.url, visit.redirect_count)
        self._throttle.report_result(
            visit.url,
            company.idno,
            request_result(verdict),
            turn=active.turn,
            retry_after=verdict.retry_after,
            rate_limited=verdict.rate_limited,
        )
        return Attempt(capture, self._schedule_retry(company, verdict), active.turn_wait)

    def _schedule_retry(self, company: _PendingCompany, verdict: PageVerdict) -> timedelta | None:
        """Queue the company for another attempt if a retry can help. Return the delay, or None without a retry."""
        delay = retry_delay(verdict, attempt=company.attempts, base_seconds=self._settings.retry_seconds)
        may_retry = is_transient(verdict) and company.attempts < self._settings.visit_attempts
        is_too_long = delay.total_seconds() > self._settings.longest_wait_seconds and not verdict.rate_limited
        if not may_retry or is_too_long:
            self._remove(company)
            return None
        self._claims.release(company.idno)
        if verdict.rate_limited:
            delay = timedelta(0)  # no delay here: the throttle pauses the site for all runs
        company.not_before = time.monotonic() + delay.total_seconds()
        self._pending.append(company)
        return delay

    def _remove(self, company: _PendingCompany) -> None:
        self._claims.release(company.idno)
        if company in self._pending:
            self._pending.remove(company)

    def _defer_pending(self, paused: Paused) -> Iterator[Event]:
        for company in list(self._pending):
            self._remove(company)
            yield Deferral(company.idno, paused.until, paused.reason, company.attempts)
