"""The browser of a crawl, and its tabs."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from selenium import webdriver

from pipeline.extract.browser.browser_lender import Lease, borrow
from pipeline.extract.browser.chrome_session import BrowserNotStarted, Driver, chrome, megabytes_of
from pipeline.extract.browser.tabs import FAILURES, Tab, network_events
from pipeline.extract.visit import Visit
from pipeline.settings import PipelineSettings
from telemetry.tallies import BORROWED, BROWSERS, STARTED, Tallies

_USED_SECONDS = 30.0
"""What a browser counts as used for beyond the longest visit, should its run die."""
_MEASURED_EVERY = 20
"""Pages between two looks at the browser's memory."""


class TabbedBrowser:
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
