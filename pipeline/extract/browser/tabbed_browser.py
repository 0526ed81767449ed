"""The browser that a crawl uses. Knows which tabs of the browser are free."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from selenium import webdriver

from pipeline.extract.browser.browser_lender import Lease, borrow
from pipeline.extract.browser.chrome_session import BrowserNotStarted, Driver, browser_memory_mb, chrome
from pipeline.extract.browser.tabs import DRIVER_ERRORS, Tab, network_events
from pipeline.extract.visit import Visit
from pipeline.settings import PipelineSettings
from telemetry.tallies import BORROWED, BROWSERS, STARTED, Tallies

_IN_USE_MARGIN_SECONDS = 30.0
"""If a run dies, its browser still counts as in use for the longest visit, plus the longest wait, plus this time."""
_MEMORY_CHECK_PAGES = 20
"""How many pages the browser shows between two measurements of its memory."""


class TabbedBrowser:
    """The browser of a crawl.

    It is borrowed or started when a tab is first needed, and replaced when it is worn out or broken. A browser is worn
    out after `browser_pages` pages or when it uses more than `browser_megabytes` of memory.
    """

    def __init__(
        self, settings: PipelineSettings, tallies: Tallies, *, run_id: str, may_borrow: bool
    ) -> None:
        self._settings, self._tallies, self._may_borrow = settings, tallies, may_borrow
        self._run_id, self._name = run_id, ""
        self._stack = ExitStack()
        self._lease: Lease | None = None
        self._driver: Driver | None = None
        self._home = ""
        self._tabs: list[Tab] = []
        self._occupied: set[str] = set()
        self._pages = 0
        self._is_worn_out = False
        self.failed_starts = 0
        """How many times in a row `free_tab` has failed."""

    @property
    def accepts_visits(self) -> bool:
        """Whether another visit may begin; a worn-out browser only finishes the visits in progress."""
        return not (self._is_worn_out and self._occupied)

    def free_tab(self) -> Tab:
        """Return a tab that no visit uses; start a browser and open a tab if necessary. Raises BrowserNotStarted."""
        if self._is_worn_out:
            self.close()
        try:
            tab = (
                next((tab for tab in self._tabs if tab.handle not in self._occupied), None)
                or self._open_tab()
            )
        except DRIVER_ERRORS as error:
            self.discard()
            self.failed_starts += 1
            raise BrowserNotStarted(f"the browser opened no tab: {error}") from error
        except BrowserNotStarted:
            self.failed_starts += 1
            raise
        self.failed_starts = 0
        return tab

    def occupy(self, tab: Tab) -> None:
        """Mark a tab as used by a visit."""
        self._occupied.add(tab.handle)

    def network_events(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return the network events since the last call, grouped by the handle of the tab. Raises DRIVER_ERRORS."""
        if self._driver is None:
            return {}
        return network_events(self._driver, self._home)

    def release_tab(self, visit: Visit) -> None:
        """Clear the tab of a finished visit for the next visit. Close the tab if the page keeps changing or hangs."""
        self._occupied.discard(visit.tab.handle)
        self._pages += 1
        self._report_in_use()
        if visit.tab not in self._tabs:
            return  # the tab's browser has been discarded
        try:
            if not visit.is_unsettled:
                visit.leave()
        except DRIVER_ERRORS:
            visit.is_unsettled = True
        if visit.is_unsettled:
            self._tabs.remove(visit.tab)
            visit.tab.close()
        self._check_wear()

    def discard(self) -> None:
        """End a broken browser. If it is borrowed, disconnect without returning it, so that the lender replaces it."""
        if self._lease is not None:
            self._lease.discard()
            self._lease = None
        self.close()

    def close(self) -> None:
        """End the browser, or return it if it is borrowed; do nothing without a browser."""
        if self._driver is not None:
            self._tallies.mark_browser_released(self._name)
            self._tallies.flush()
        if self._lease is not None:
            self._lease.return_browser(self._pages)
        self._lease, self._driver, self._tabs, self._pages, self._is_worn_out = None, None, [], 0, False
        self._occupied.clear()
        self._stack.close()

    def _open_tab(self) -> Tab:
        prepared_tab = None
        if self._driver is None:
            if (lease := self._borrow()) is not None:
                self._lease, self._driver, prepared_tab = lease, lease.driver, lease.prepared_tab
            else:
                self._driver = self._start()
            origin = STARTED if self._lease is None else BORROWED
            self._name = f"{origin}:{self._run_id}"
            self._tallies.count(BROWSERS, origin)
            self._report_in_use()
            self._tallies.flush()
            self._home = self._driver.current_window_handle
        tab = Tab(self._driver, prepared_tab)
        self._tabs.append(tab)
        return tab

    def _report_in_use(self) -> None:
        longest_visit = self._settings.visit_timeout_seconds + self._settings.longest_wait_seconds
        self._tallies.mark_browser_in_use(self._name, seconds=_IN_USE_MARGIN_SECONDS + longest_visit)

    def _borrow(self) -> Lease | None:
        lender_socket = self._settings.browser_lender
        return borrow(lender_socket) if self._may_borrow and lender_socket is not None else None

    def _start(self) -> Driver:
        try:
            return self._stack.enter_context(chrome(self._settings))
        except BrowserNotStarted:  # retry once: a machine under load may have been too slow
            return self._stack.enter_context(chrome(self._settings))

    def _driver_pid(self) -> int | None:
        """Return the pid of the driver, or None if the driver runs on another machine."""
        if self._lease is not None:
            return self._lease.driver_pid
        return self._driver.service.process.pid if isinstance(self._driver, webdriver.Chrome) else None

    def _check_wear(self) -> None:
        if self._pages >= self._settings.browser_pages:
            self._is_worn_out = True
        elif self._pages % _MEMORY_CHECK_PAGES == 0 and (pid := self._driver_pid()) is not None:
            self._is_worn_out |= browser_memory_mb(pid) > self._settings.browser_megabytes
