"""The browser lender: keeps browsers running and lends each to one run at a time, so that runs need not start one.

    python -m pipeline.extract.browser.browser_lender

The lender is a separate program. Its settings are `browser_lender`, `warm_browsers` and the settings of the browser.
Runs connect to its Unix socket. A run may use the lent browser until the connection ends. The browser already has a tab
for the run, in a separate browser context. If no browser is free, the lender closes the connection and the run starts a
browser itself.

When a run returns a browser, the lender resets it: it removes all browser contexts, so that nothing but the empty tab
remains. The lender kills and replaces a browser that cannot be reset, does not answer or is worn out. It does the same
if the run disconnects without returning the browser (because the run was killed, for example).
"""

import contextlib
import logging
import os
import queue
import signal
import socket
import sys
import threading
from enum import Enum, auto
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.remote.remote_connection import RemoteConnection

from pipeline import local_socket
from pipeline.extract.browser.chrome_session import (
    COMMAND_TIMEOUT_SECONDS,
    BrowserNotStarted,
    RemoteChrome,
    browser_memory_mb,
    chrome,
    driver_connection,
    first_line,
)
from pipeline.extract.browser.tabs import DRIVER_ERRORS, Tab, TabPlace, check_running
from pipeline.settings import BrowserSettings
from telemetry import logs
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start

logger = logging.getLogger("pipeline.lender")

_OFFER_TIMEOUT_SECONDS = 1.0
"""How long a run waits for the offer of a browser that is being reset. To start a browser takes about as long."""
_HEALTH_CHECK_SECONDS = 10.0
_START_RETRY_SECONDS = 5.0
_REPLACE_DELAY_SECONDS = 1.0


class LentChrome(RemoteChrome):
    """A driver for a browser that the lender has started and will end."""

    def __init__(self, offer: dict[str, Any]) -> None:
        self._offer = offer
        connection = driver_connection(str(offer["address"]), timeout_seconds=COMMAND_TIMEOUT_SECONDS)
        super().__init__(command_executor=connection, options=webdriver.ChromeOptions())

    def start_session(self, capabilities: dict[str, Any]) -> None:
        """Use the existing session instead of starting one."""
        self.session_id, self.caps = self._offer["session"], self._offer["capabilities"]


class Lease:
    """A borrowed browser. The borrower calls `return_browser` or `discard` once."""

    def __init__(self, connection: socket.socket, offer: dict[str, Any]) -> None:
        self._connection = connection
        self.driver = LentChrome(offer)
        self.driver_pid = int(offer["process"])
        self.prepared_tab = TabPlace(*offer["place"])
        """A tab that the lender has opened in advance."""

    def return_browser(self, pages: int) -> None:
        """Return the browser to the lender; `pages` is the number of pages that it has shown to this borrower."""
        with contextlib.suppress(OSError):
            local_socket.send(self._connection, {"pages": pages})
        self.discard()

    def discard(self) -> None:
        """Disconnect. If `return_browser` was not called before, the lender replaces the browser."""
        self._connection.close()


def borrow(lender_socket: Path) -> Lease | None:
    """Borrow a running browser; return None if none is free."""
    connection = None
    try:
        connection = local_socket.connect(lender_socket, timeout=_OFFER_TIMEOUT_SECONDS)
        offer = local_socket.receive(connection)
        local_socket.send(connection, {"taken": True})
        # Wait for the lender's confirmation. Without it the browser is not lent: our answer may have come too late.
        local_socket.receive(connection)
        return Lease(connection, offer)
    except (OSError, EOFError, ValueError):
        if connection is not None:
            connection.close()
        return None


class _Availability(Enum):
    UNAVAILABLE = auto()
    """The browser is being started, or a run has it."""
    AVAILABLE = auto()
    """The browser is free, or is being reset and free in a moment."""


class BrowserLender:
    """Lends browsers. Keeps `settings.warm_browsers` of them running, each with a thread that looks after it."""

    def __init__(self, settings: BrowserSettings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._borrowers: queue.Queue[socket.socket] = queue.Queue()
        self._keepers = [_BrowserKeeper(settings, self._borrowers) for _ in range(settings.warm_browsers)]

    def serve(self) -> None:
        """Lend browsers until `stop` is called; then end all browsers."""
        for keeper in self._keepers:
            keeper.start()
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            free = sum(keeper.availability is _Availability.AVAILABLE for keeper in self._keepers)
            if free > self._borrowers.qsize():
                self._borrowers.put(connection)
            else:
                connection.close()
        for keeper in self._keepers:
            keeper.stop()
        for keeper in self._keepers:
            keeper.join()

    def stop(self, *_: object) -> None:
        """Make `serve` return. Can be used as a signal handler. (Closing the socket would not wake `accept`.)"""
        self._listener.shutdown(socket.SHUT_RDWR)


class _BrowserKeeper(threading.Thread):
    """Keeps one browser: starts, lends, resets and replaces it."""

    def __init__(self, settings: BrowserSettings, borrowers: "queue.Queue[socket.socket]") -> None:
        super().__init__(daemon=True)
        self._settings, self._borrowers = settings, borrowers
        self._stopping = threading.Event()
        self._borrower: socket.socket | None = None
        self.availability = _Availability.UNAVAILABLE

    def stop(self) -> None:
        """Make the thread end its browser and return, even while the browser is lent."""
        self._stopping.set()
        if (borrower := self._borrower) is not None:
            with contextlib.suppress(OSError):  # the browser was returned at this moment
                borrower.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Keep a browser until `stop` is called."""
        while not self._stopping.is_set():
            try:
                with chrome(self._settings) as driver:
                    assert isinstance(driver, webdriver.Chrome)
                    try:
                        self._lend_until_worn(driver)
                    finally:
                        self.availability = _Availability.UNAVAILABLE
                        _kill(driver)
            except BrowserNotStarted as error:
                logger.warning("no browser to lend: %s", error)
                self._stopping.wait(_START_RETRY_SECONDS)
            except DRIVER_ERRORS as error:
                logger.info("replacing a browser: %s", first_line(error))
                self._stopping.wait(_REPLACE_DELAY_SECONDS)
            except Exception:  # any error: if this thread ended, there would be one browser less forever
                logger.exception("replacing a browser after an unexpected error")
                self._stopping.wait(_START_RETRY_SECONDS)

    def _lend_until_worn(self, driver: webdriver.Chrome) -> None:
        home, pages = driver.current_window_handle, 0
        while True:
            tab = Tab(driver)
            driver.switch_to.window(home)
            self.availability = _Availability.AVAILABLE
            connection = self._next_borrower(driver)
            if connection is None:
                return
            self.availability = _Availability.UNAVAILABLE
            with connection:
                pages_shown = self._lend(connection, driver, tab.place)
            if pages_shown is None:
                return
            pages += pages_shown
            if pages >= self._settings.browser_pages:
                return
            self.availability = _Availability.AVAILABLE
            _reset(driver, home)
            if browser_memory_mb(driver.service.process.pid) > self._settings.browser_megabytes:
                return

    def _next_borrower(self, driver: webdriver.Chrome) -> socket.socket | None:
        """Wait for a borrower, return its connection; None after `stop`. Raises DRIVER_ERRORS if the browser died."""
        waited_seconds = 0.0
        while not self._stopping.is_set():
            try:
                connection = self._borrowers.get(timeout=0.5)
            except queue.Empty:
                waited_seconds += 0.5
                if waited_seconds >= _HEALTH_CHECK_SECONDS:
                    waited_seconds = 0.0
                    driver.execute_script("return 1")
                continue
            try:
                driver.execute_script("return 1")
            except DRIVER_ERRORS:
                # The borrower now starts a browser itself. Waiting for another browser of the lender could take longer.
                connection.close()
                raise
            return connection
        return None

    def _lend(self, connection: socket.socket, driver: webdriver.Chrome, place: TabPlace) -> int | None:
        """Lend the browser until it is returned. Return how many pages it showed; None if it was not returned."""
        self._borrower = connection
        executor = driver.command_executor
        assert isinstance(executor, RemoteConnection)
        offer = {
            "address": executor.client_config.remote_server_addr,
            "session": driver.session_id,
            "capabilities": driver.capabilities,
            "process": driver.service.process.pid,
            "place": [place.context, place.handle],
        }
        try:
            connection.settimeout(_OFFER_TIMEOUT_SECONDS)
            local_socket.send(connection, offer)
            local_socket.receive(connection)
        except (OSError, EOFError, ValueError):
            return 0  # the borrower disconnected before the browser was lent
        try:
            local_socket.send(connection, {"lent": True})
            connection.settimeout(None)
            return int(local_socket.receive(connection)["pages"])
        except (OSError, EOFError, ValueError, KeyError):
            return None
        finally:
            self._borrower = None


def _reset(driver: webdriver.Chrome, home: str) -> None:
    """Remove what the last run left in the browser. Raises DRIVER_ERRORS, or BrowserNotStarted if tabs remain open."""
    check_running(driver)
    for context in driver.browser.get_user_contexts():  # type: ignore[no-untyped-call]
        if context != "default":
            driver.browser.remove_user_context(context)
    driver.switch_to.window(home)
    if driver.window_handles != [home]:
        raise BrowserNotStarted("tabs of the last run remain open")
    driver.get_log("performance")  # type: ignore[no-untyped-call] # empties the log, so that it does not grow


def _kill(driver: webdriver.Chrome) -> None:
    """Kill a browser immediately; it has nothing to save."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(driver.service.process.pid, signal.SIGKILL)


def main() -> None:
    """Run the lender."""
    try:
        logs.set_up(load(TelemetrySettings).log_format, service="browsers")
        settings = load(BrowserSettings)
    except SettingsRefused as reason:
        refuse_to_start(reason)
    if settings.browser_lender is None or settings.webdriver_url is not None:
        sys.exit(
            "nothing to lend: set REGISTRU_BROWSER_LENDER to the path of the lender's socket, and do not set"
            " REGISTRU_WEBDRIVER_URL"
        )
    with local_socket.listen(settings.browser_lender) as listener:
        lender = BrowserLender(settings, listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lender.stop)
        lender.serve()


if __name__ == "__main__":
    main()
