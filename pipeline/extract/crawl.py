"""Many companies in one go: several tabs side by side, one visit after another, failures tried again."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.exceptions import RedisError
from selenium import webdriver

from pipeline.extract.browser import BrowserNotStarted, Driver, chrome, megabytes_of
from pipeline.extract.capture import Capture
from pipeline.extract.claims import Claims
from pipeline.extract.lender import Lease, borrow
from pipeline.extract.manners import Forbidden, Manners, Paused, Turn, Wait
from pipeline.extract.outcome import Verdict
from pipeline.extract.retries import how_it_went, is_transient, wait_before_retry
from pipeline.extract.tabs import FAILURES, Tab, network_events
from pipeline.extract.visit import Visit, not_visited
from pipeline.settings import PipelineSettings
from telemetry.tallies import BORROWED, BROWSERS, STARTED, Tallies
from warehouse.contract import Outcome

_POLL_SECONDS = 0.02
_PAUSED_POLL_SECONDS = 0.5
_CLAIMED_SECONDS = 1.0
"""How long until another run's visit to the same company is looked at again."""
_MOST_FAILED_STARTS = 3
_USED_SECONDS = 30.0
"""What a browser counts as used for beyond the longest visit, should its run die."""
_MEASURED_EVERY = 20
"""Pages between two looks at the browser's memory."""


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
class _Company:
    """A company that waits for its (next) visit."""

    idno: str
    not_before: float = 0.0
    attempts: int = 0
    asked_at: float | None = None
    """Since when it has been its turn to ask for a turn."""


@dataclass
class _Underway:
    """A visit under way."""

    company: _Company
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
        manners: Manners,
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
        self._browser = _Browser(settings, tallies, run_id=run_id, borrows=borrows)
        self._waiting: list[_Company] = []
        self._underway: list[_Underway] = []
        self._ask_again_at = 0.0
        self._paused: Paused | None = None

    def visit_all(self, idnos: Iterable[str]) -> Iterator[Event]:
        """Yield what becomes of each company, as it comes. Raises BrowserNotStarted; in the end no browser is left."""
        self._waiting = [_Company(idno) for idno in idnos]
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

    def _ask_and_begin(self, company: _Company) -> Iterator[Event]:
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
        elif isinstance(answer, Forbidden):
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

    def _begin(self, company: _Company, turn: Turn, tab: Tab) -> None:
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

    def _not_visited(self, company: _Company, reason: str, outcome: Outcome) -> Attempt:
        company.attempts += 1
        self._waiting.remove(company)
        capture = not_visited(
            self.url_of(company.idno), company.idno, reason=reason, outcome=outcome, attempt=company.attempts
        )
        return Attempt(capture, self._retry(company, Verdict(outcome, reason)))

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

    def _retry(self, company: _Company, verdict: Verdict) -> timedelta | None:
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

    def _done_with(self, company: _Company) -> None:
        self._claims.release(company.idno)
        if company in self._waiting:
            self._waiting.remove(company)

    def _defer_the_rest(self, paused: Paused) -> Iterator[Event]:
        for company in list(self._waiting):
            self._done_with(company)
            yield Deferral(company.idno, paused.until, paused.reason, company.attempts)


class _Browser:
    """The browser of a crawl: borrowed or started when it is needed, replaced when it is worn out or broken."""

    def __init__(self, settings: PipelineSettings, tallies: Tallies, *, run_id: str, borrows: bool) -> None:
        self._settings, self._tallies, self._borrows = settings, tallies, borrows
        self._run_id, self._name = run_id, ""
        self._stack = ExitStack()
        self._lease: Lease | None = None
        self._driver: Driver | None = None
        self._home = ""
        self._tabs: list[Tab] = []
        self._busy: set[str] = set()
        self._pages = 0
        self._is_worn_out = False
        self.failed_starts = 0

    @property
    def takes_visits(self) -> bool:
        """Whether another visit may begin: a browser that is worn out is only waited for."""
        return not (self._is_worn_out and self._busy)

    def free_tab(self) -> Tab:
        """Return a tab that nobody uses. Raises BrowserNotStarted."""
        if self._is_worn_out:
            self.close()
        try:
            tab = next((tab for tab in self._tabs if tab.handle not in self._busy), None) or self._new_tab()
        except FAILURES as error:
            self.give_up()
            self.failed_starts += 1
            raise BrowserNotStarted(f"the browser opens no tab: {error}") from error
        except BrowserNotStarted:
            self.failed_starts += 1
            raise
        self.failed_starts = 0
        return tab

    def take(self, tab: Tab) -> None:
        """Have a tab busy."""
        self._busy.add(tab.handle)

    def events(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return what the network did, by tab. Raises what a driver raises."""
        if self._driver is None:
            return {}
        return network_events(self._driver, self._home)

    def take_back(self, visit: Visit) -> None:
        """Have a visit's tab free again, its traces gone; one that does not answer is closed."""
        self._busy.discard(visit.tab.handle)
        self._pages += 1
        self._note_use()
        if visit.tab not in self._tabs:
            return  # of a browser that is gone
        try:
            if not visit.is_restless:
                visit.leave()
        except FAILURES:
            visit.is_restless = True
        if visit.is_restless:
            self._tabs.remove(visit.tab)
            visit.tab.close()
        self._look_for_wear()

    def give_up(self) -> None:
        """Throw the browser away."""
        if self._lease is not None:
            self._lease.drop()
            self._lease = None
        self.close()

    def close(self) -> None:
        """End the browser, or give it back, if there is one."""
        if self._driver is not None:
            self._tallies.has_no_browser(self._name)
            self._tallies.flush()
        if self._lease is not None:
            self._lease.give_back(self._pages)
        self._lease, self._driver, self._tabs, self._pages, self._is_worn_out = None, None, [], 0, False
        self._busy.clear()
        self._stack.close()

    def _new_tab(self) -> Tab:
        ready = None
        if self._driver is None:
            if (lease := self._borrow()) is not None:
                self._lease, self._driver, ready = lease, lease.driver, lease.ready
            else:
                self._driver = self._start()
            how = STARTED if self._lease is None else BORROWED
            self._name = f"{how}:{self._run_id}"
            self._tallies.count(BROWSERS, how)
            self._note_use()
            self._tallies.flush()
            self._home = self._driver.current_window_handle
        tab = Tab(self._driver, ready)
        self._tabs.append(tab)
        return tab

    def _note_use(self) -> None:
        spare = self._settings.visit_timeout_seconds + self._settings.longest_wait_seconds
        self._tallies.uses_browser(self._name, seconds=_USED_SECONDS + spare)

    def _borrow(self) -> Lease | None:
        lender = self._settings.browser_lender
        return borrow(lender) if self._borrows and lender is not None else None

    def _start(self) -> Driver:
        try:
            return self._stack.enter_context(chrome(self._settings))
        except BrowserNotStarted:  # once more: a machine under load may have been too slow
            return self._stack.enter_context(chrome(self._settings))

    def _driver_process(self) -> int | None:
        """The driver's process, if it is on this machine."""
        if self._lease is not None:
            return self._lease.process_id
        return self._driver.service.process.pid if isinstance(self._driver, webdriver.Chrome) else None

    def _look_for_wear(self) -> None:
        if self._pages >= self._settings.browser_pages:
            self._is_worn_out = True
        elif self._pages % _MEASURED_EVERY == 0 and (process := self._driver_process()) is not None:
            self._is_worn_out |= megabytes_of(process) > self._settings.browser_megabytes
