"""Browsers that are kept running, and lent to one run at a time, so that nobody who waits waits for one to start.

    python -m pipeline.extract.browser.browser_lender

A program of its own (settings: browser_lender, warm_browsers and those of the browser), spoken to over a Unix socket.
Who connects is lent a browser, with a tab in a context of its own opened beforehand, for as long as the connection
lasts. Given back, all contexts are removed and nothing but the empty tab may be left; a browser of whom that is not
true, that does not answer, that is worn out, or whose borrower went without a word (killed, say) is ended and another
started in its place. Where none is free the connection is closed, and a run starts one itself.
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
    COMMAND_SECONDS,
    BrowserNotStarted,
    RemoteChrome,
    chrome,
    connection_to,
    first_line,
    megabytes_of,
)
from pipeline.extract.browser.tabs import FAILURES, Tab, TabPlace
from pipeline.settings import BrowserSettings
from telemetry import logs
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start

logger = logging.getLogger("pipeline.lender")

_OFFER_SECONDS = 1.0
"""How long a run waits for a browser that is being put in order; starting one takes about as long."""
_LOOKED_AT_SECONDS = 10.0
_START_PAUSE_SECONDS = 5.0
_REPLACE_PAUSE_SECONDS = 1.0


class LentChrome(RemoteChrome):
    """A driver for a browser that somebody else has started, and will end."""

    def __init__(self, offer: dict[str, Any]) -> None:
        self._offer = offer
        connection = connection_to(str(offer["address"]), timeout=COMMAND_SECONDS)
        super().__init__(command_executor=connection, options=webdriver.ChromeOptions())

    def start_session(self, capabilities: dict[str, Any]) -> None:
        """Take the session that there is."""
        self.session_id, self.caps = self._offer["session"], self._offer["capabilities"]


class Lease:
    """A browser for as long as one likes; to be ended once."""

    def __init__(self, connection: socket.socket, offer: dict[str, Any]) -> None:
        self._connection = connection
        self.driver = LentChrome(offer)
        self.process_id = int(offer["process"])
        self.ready = TabPlace(*offer["place"])
        """A tab that is there."""

    def give_back(self, pages: int) -> None:
        """Return the browser, which showed so many pages, for others to use."""
        with contextlib.suppress(OSError):
            local_socket.send(self._connection, {"pages": pages})
        self.drop()

    def drop(self) -> None:
        """Let go of a browser that nobody should use again."""
        self._connection.close()


def borrow(lender: Path) -> Lease | None:
    """Return a browser that runs; None if there is none to be had."""
    connection = None
    try:
        connection = local_socket.connect(lender, timeout=_OFFER_SECONDS)
        offer = local_socket.receive(connection)
        local_socket.send(connection, {"taken": True})
        # Who answers late is not lent the browser, which another may have by then.
        local_socket.receive(connection)
        return Lease(connection, offer)
    except (OSError, EOFError, ValueError):
        if connection is not None:
            connection.close()
        return None


class _State(Enum):
    AWAY = auto()
    """Being started, or lent."""
    SOON = auto()
    """Free, or about to be."""


class BrowserLender:
    """Keeps `settings.warm_browsers` browsers, each in a thread of its own."""

    def __init__(self, settings: BrowserSettings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._asked: queue.Queue[socket.socket] = queue.Queue()
        self._keepers = [_Keeper(settings, self._asked) for _ in range(settings.warm_browsers)]

    def serve(self) -> None:
        """Serve until the listener is closed (`stop`); then no browser is left."""
        for keeper in self._keepers:
            keeper.start()
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            free = sum(keeper.state is _State.SOON for keeper in self._keepers)
            if free > self._asked.qsize():
                self._asked.put(connection)
            else:
                connection.close()
        for keeper in self._keepers:
            keeper.stop()
        for keeper in self._keepers:
            keeper.join()

    def stop(self, *_: object) -> None:
        """Have `serve` end. (A signal handler: shutting down wakes `accept`, closing would not.)"""
        self._listener.shutdown(socket.SHUT_RDWR)


class _Keeper(threading.Thread):
    """Keeps one browser: starts it, lends it, puts it in order, replaces it."""

    def __init__(self, settings: BrowserSettings, asked: "queue.Queue[socket.socket]") -> None:
        super().__init__(daemon=True)
        self._settings, self._asked = settings, asked
        self._stopping = threading.Event()
        self._lent: socket.socket | None = None
        self.state = _State.AWAY

    def stop(self) -> None:
        """Have the thread end, and whoever has the browser find it gone."""
        self._stopping.set()
        if (lent := self._lent) is not None:
            with contextlib.suppress(OSError):  # given back in this moment
                lent.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Keep a browser until told to stop."""
        while not self._stopping.is_set():
            try:
                with chrome(self._settings) as driver:
                    assert isinstance(driver, webdriver.Chrome)
                    try:
                        self._lend_until_worn(driver)
                    finally:
                        self.state = _State.AWAY
                        _kill(driver)
            except BrowserNotStarted as error:
                logger.warning("no browser to lend: %s", error)
                self._stopping.wait(_START_PAUSE_SECONDS)
            except FAILURES as error:
                logger.info("a browser is replaced: %s", first_line(error))
                self._stopping.wait(_REPLACE_PAUSE_SECONDS)
            except Exception:  # whatever it is: without this thread there would be a browser less for ever
                logger.exception("a browser is replaced")
                self._stopping.wait(_START_PAUSE_SECONDS)

    def _lend_until_worn(self, driver: webdriver.Chrome) -> None:
        home, pages = driver.current_window_handle, 0
        while True:
            tab = Tab(driver)
            driver.switch_to.window(home)
            self.state = _State.SOON
            connection = self._next_asked(driver)
            if connection is None:
                return
            self.state = _State.AWAY
            with connection:
                shown = self._lend(connection, driver, tab.place)
            if shown is None:
                return
            pages += shown
            if pages >= self._settings.browser_pages:
                return
            self.state = _State.SOON
            _put_in_order(driver, home)
            if megabytes_of(driver.service.process.pid) > self._settings.browser_megabytes:
                return

    def _next_asked(self, driver: webdriver.Chrome) -> socket.socket | None:
        """Return the connection of who wants the browser; None when it is time to end. Raises FAILURES if it died."""
        waited = 0.0
        while not self._stopping.is_set():
            try:
                connection = self._asked.get(timeout=0.5)
            except queue.Empty:
                waited += 0.5
                if waited >= _LOOKED_AT_SECONDS:
                    waited = 0.0
                    driver.execute_script("return 1")
                continue
            try:
                driver.execute_script("return 1")
            except FAILURES:
                connection.close()  # who asked starts one; waiting for another one could take longer
                raise
            return connection
        return None

    def _lend(self, connection: socket.socket, driver: webdriver.Chrome, place: TabPlace) -> int | None:
        """Lend the browser; return how many pages it showed, None if it was not given back."""
        self._lent = connection
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
            connection.settimeout(_OFFER_SECONDS)
            local_socket.send(connection, offer)
            local_socket.receive(connection)
        except (OSError, EOFError, ValueError):
            return 0  # went away before it was lent
        try:
            local_socket.send(connection, {"lent": True})
            connection.settimeout(None)
            return int(local_socket.receive(connection)["pages"])
        except (OSError, EOFError, ValueError, KeyError):
            return None
        finally:
            self._lent = None


def _put_in_order(driver: webdriver.Chrome, home: str) -> None:
    """Remove what a run has left. Raises FAILURES, or BrowserNotStarted where something stays."""
    for context in driver.browser.get_user_contexts():  # type: ignore[no-untyped-call]
        if context != "default":
            driver.browser.remove_user_context(context)
    driver.switch_to.window(home)
    if driver.window_handles != [home]:
        raise BrowserNotStarted("tabs stay open")
    driver.get_log("performance")  # type: ignore[no-untyped-call] # so that it does not grow


def _kill(driver: webdriver.Chrome) -> None:
    """End a browser at once; what it held is nothing that has to be written."""
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
            "REGISTRU_BROWSER_LENDER names the socket; with REGISTRU_WEBDRIVER_URL there is nothing to lend"
        )
    with local_socket.listen(settings.browser_lender) as listener:
        lender = BrowserLender(settings, listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lender.stop)
        lender.serve()


if __name__ == "__main__":
    main()
