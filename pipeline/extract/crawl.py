"""Many companies in one go: several tabs side by side, one visit after another, failures tried again."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from pipeline.extract.browser.chrome_session import BrowserNotStarted
from pipeline.extract.browser.tabbed_browser import TabbedBrowser
from pipeline.extract.browser.tabs import FAILURES, Tab
from pipeline.extract.claims import Claims
from pipeline.extract.page_capture import Capture
from pipeline.extract.page_verdict import PageVerdict
from pipeline.extract.retries import how_it_went, is_transient, wait_before_retry
from pipeline.extract.site_throttle import ForbiddenByRobots, Paused, SiteThrottle, Turn, Wait
from pipeline.extract.visit import Visit, not_visited
from pipeline.settings import PipelineSettings
from telemetry.tallies import Tallies
from warehouse.contract import Outcome

_POLL_SECONDS = 0.02
_PAUSED_POLL_SECONDS = 0.5
_CLAIMED_SECONDS = 1.0
"""How long until another run's visit to the same company is looked at again."""
_MOST_FAILED_STARTS = 3


@dataclass(frozen=True)
class Attempt:
    """One visit. `retry_in` is None where this capture is the one that counts; `waited`: for a turn at the site."""

    capture: Capture
    retry_in: timedelta | None
    waited: timedelta | None = None


@dataclass(frozen=True)
class Skip:
    """A company that another run captured since it was asked for."""

    idno: str
    source_data_id: int
    attempts: int


@dataclass(frozen=True)
class Deferral:
    """A company that was not visited (again): its site is to be left alone until then."""

    idno: str
    until: datetime
    reason: str
    attempts: int


Event = Attempt | Skip | Deferral


@dataclass
class _PendingCompany:
    """A company that waits for its (next) visit."""

    idno: str
    not_before: float = 0.0
    attempts: int = 0
    asked_at: float | None = None
    """Since when it has been its turn to ask for a turn."""


@dataclass
class _Underway:
    """A visit under way."""

    company: _PendingCompany
    visit: Visit
    turn: Turn
    turned_at: float
    waited: timedelta
    is_sent: bool = False


class Crawl:
    """Visits companies until each has a capture that counts, or the site is to be left alone for long."""

    def __init__(
        self,
        settings: PipelineSettings,
        manners: SiteThrottle,
        claims: Claims,
        tallies: Tallies,
        *,
        run_id: str,
        captured_meanwhile: Callable[[str], int | None],
        goes_on: Callable[[], None],
        borrows: bool = False,
    ) -> None:
        """`captured_meanwhile` names the capture of a company that another run made since it was asked for;
        `goes_on` raises if this run is over (cancelled, given up by Dagster): it is asked before each visit.
        With `borrows` a browser that is kept running is borrowed, where one can be had.
        """
        self._settings, self._manners, self._claims = settings, manners, claims
        self._captured_meanwhile, self._goes_on = captured_meanwhile, goes_on
        self._browser = TabbedBrowser(settings, tallies, run_id=run_id, borrows=borrows)
        self._waiting: list[_PendingCompany] = []
        self._underway: list[_Underway] = []
        self._ask_again_at = 0.0
        self._paused: Paused | None = None

    def visit_all(self, idnos: Iterable[str]) -> Iterator[Event]:
        """Yield what becomes of each company, as it comes. Raises BrowserNotStarted; in the end no browser is left."""
        self._waiting = [_PendingCompany(idno) for idno in idnos]
        try:
            while self._waiting or self._underway:
                yield from self._begin_visits()
                yield from self._look_at_visits()
                if self._paused is not None and not self._underway:
                    yield from self._defer_the_rest(self._paused)
        finally:
            self._browser.close()
            with suppress(RedisError):  # they end by themselves
                self._claims.release_all()

    def url_of(self, idno: str) -> str:
        """Return the address of a company's page."""
        return f"{self._settings.site_url.rstrip('/')}/companies/{idno}"

    def _begin_visits(self) -> Iterator[Event]:
        """Begin as many visits as there are free tabs and turns."""
        while (
            self._paused is None and len(self._underway) < self._settings.tabs and self._browser.takes_visits
        ):
            now = time.monotonic()
            company = next((each for each in self._waiting if each.not_before <= now), None)
            if company is None or now < self._ask_again_at:
                return
            if not self._claims.take(company.idno):
                company.not_before = now + _CLAIMED_SECONDS
                continue
            self._goes_on()
            if (held := self._captured_meanwhile(company.idno)) is not None:
                self._done_with(company)
                yield Skip(company.idno, held, company.attempts)
                continue
            yield from self._ask_and_begin(company)

    def _ask_and_begin(self, company: _PendingCompany) -> Iterator[Event]:
        url = self.url_of(company.idno)
        company.asked_at = company.asked_at or time.monotonic()
        if paused := self._manners.pause_of(url):
            self._wait(paused)
            return
        try:
            tab = self._browser.free_tab()  # first: a turn is not for waiting until a browser has started
        except BrowserNotStarted as error:
            yield self._not_visited(company, str(error), Outcome.BROWSER_ERROR)
            if self._browser.failed_starts >= _MOST_FAILED_STARTS and self._waiting:
                raise
            return
        answer = self._manners.ask(url)
        if isinstance(answer, Turn):
            self._begin(company, answer, tab)
        elif isinstance(answer, ForbiddenByRobots):
            yield self._not_visited(company, answer.reason, Outcome.BLOCKED)
        else:
            self._wait(answer)

    def _wait(self, answer: Wait | Paused) -> None:
        if isinstance(answer, Wait):
            self._ask_again_at = time.monotonic() + answer.seconds
            return
        left = (answer.until - datetime.now(UTC)).total_seconds()
        if left > self._settings.longest_wait_seconds:
            self._paused = answer
        # The pause may end sooner: a probe that is under way ends it for all.
        self._ask_again_at = time.monotonic() + min(max(_POLL_SECONDS, left), _PAUSED_POLL_SECONDS)

    def _begin(self, company: _PendingCompany, turn: Turn, tab: Tab) -> None:
        company.attempts += 1
        self._waiting.remove(company)
        visit = Visit(
            tab,
            self.url_of(company.idno),
            company.idno,
            timeout_seconds=self._settings.visit_timeout_seconds,
            attempt=company.attempts,
            screenshots=self._settings.screenshots,
        )
        waited = timedelta(seconds=time.monotonic() - (company.asked_at or time.monotonic()))
        company.asked_at = None
        self._underway.append(_Underway(company, visit, turn, time.time(), waited))
        self._browser.take(tab)
        visit.begin()

    def _not_visited(self, company: _PendingCompany, reason: str, outcome: Outcome) -> Attempt:
        company.attempts += 1
        self._waiting.remove(company)
        capture = not_visited(
            self.url_of(company.idno), company.idno, reason=reason, outcome=outcome, attempt=company.attempts
        )
        return Attempt(capture, self._retry(company, PageVerdict(outcome, reason)))

    def _look_at_visits(self) -> Iterator[Event]:
        """Take every visit a step further; a moment's rest where there is nothing to do."""
        if self._underway:
            self._step_all()
        ended = [each for each in self._underway if each.visit.verdict is not None]
        for underway in ended:
            yield self._end(underway)
            # Afterwards: nobody has to wait for the page to be left.
            self._browser.take_back(underway.visit)
        if not ended:
            time.sleep(_POLL_SECONDS)

    def _step_all(self) -> None:
        try:
            events = self._browser.events()
        except FAILURES as error:
            self._cut_all_off(str(error).partition("\n")[0] or type(error).__name__)
            return
        for underway in self._underway:
            visit = underway.visit
            visit.take(events.get(visit.tab.handle, ()))
            self._tell_sent(underway)
            visit.step()
        if any(each.visit.is_cut_off for each in self._underway):
            self._cut_all_off("the browser was given up: another page in it did not answer")

    def _tell_sent(self, underway: _Underway) -> None:
        sent_at = underway.visit.sent_at
        if sent_at is None or underway.is_sent:
            return
        # Never longer ago than we asked: a remote browser's clock is not ours.
        ago = min(time.time() - sent_at, time.time() - underway.turned_at)
        self._manners.sent(underway.visit.url, seconds_ago=ago)
        underway.is_sent = True

    def _cut_all_off(self, reason: str) -> None:
        for underway in self._underway:
            underway.visit.cut_off(reason)
        self._browser.give_up()

    def _end(self, underway: _Underway) -> Event:
        visit, company = underway.visit, underway.company
        verdict, capture = visit.verdict, visit.capture()
        assert verdict is not None
        self._underway.remove(underway)
        if visit.hops:
            self._manners.charge(visit.url, requests=visit.hops)
        self._manners.answered(
            visit.url,
            company.idno,
            how_it_went(verdict),
            turn=underway.turn,
            retry_after=verdict.retry_after,
            limited=verdict.limited,
        )
        return Attempt(capture, self._retry(company, verdict), underway.waited)

    def _retry(self, company: _PendingCompany, verdict: PageVerdict) -> timedelta | None:
        """Put a company back where another visit may end otherwise; return after how long."""
        wait = wait_before_retry(verdict, attempt=company.attempts, base_seconds=self._settings.retry_seconds)
        may = is_transient(verdict) and company.attempts < self._settings.visit_attempts
        if not may or (wait.total_seconds() > self._settings.longest_wait_seconds and not verdict.limited):
            self._done_with(company)
            return None
        self._claims.release(company.idno)
        if verdict.limited:
            wait = timedelta(0)  # the pause is for all, and kept by the manners
        company.not_before = time.monotonic() + wait.total_seconds()
        self._waiting.append(company)
        return wait

    def _done_with(self, company: _PendingCompany) -> None:
        self._claims.release(company.idno)
        if company in self._waiting:
            self._waiting.remove(company)

    def _defer_the_rest(self, paused: Paused) -> Iterator[Event]:
        for company in list(self._waiting):
            self._done_with(company)
            yield Deferral(company.idno, paused.until, paused.reason, company.attempts)
