"""Isolated tabs of one browser. Each tab has a browser context: its own cookies, storage and cache."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.command import Command
from urllib3.exceptions import HTTPError
from websocket import WebSocketException

from pipeline.extract.browser.chrome_session import Driver

DRIVER_ERRORS = (WebDriverException, WebSocketException, HTTPError, OSError)
"""What a driver raises when the page, the browser or the driver itself does not answer."""
_NETWORK_EVENT = '"method":"Network.'


@dataclass(frozen=True)
class TabPlace:
    """The address of a tab: its browser context and the handle of its window."""

    context: str
    handle: str


class Tab:
    """A tab with cookies, storage and cache of its own."""

    def __init__(self, driver: Driver, place: TabPlace | None = None) -> None:
        """Open a tab, or use the open one at `place`."""
        self.driver = driver
        self.place = place or self._open()

    def _open(self) -> TabPlace:
        check_running(self.driver)
        browser = self.driver.browser
        context = browser.create_user_context()
        browser.set_download_behavior(allowed=False, user_contexts=[context])
        # Open a window for each tab, because Chrome does not render a tab in the background of a window.
        handle: str = self.driver.browsing_context.create(type="window", user_context=context)
        self.driver.switch_to.window(handle)
        self.driver.execute_cdp_cmd("Network.setBypassServiceWorker", {"bypass": True})
        return TabPlace(context, handle)

    @property
    def handle(self) -> str:
        """The handle of the tab's window."""
        return self.place.handle

    def focus(self) -> None:
        """Direct the driver's commands to this tab."""
        self.driver.switch_to.window(self.handle)

    def clear(self, urls: Iterable[str]) -> None:
        """Leave the page. Delete all cookies, and the data of the origins of `urls` (what the page requested)."""
        self.driver.get("about:blank")
        origins = {f"{parts.scheme}://{parts.netloc}" for url in urls if (parts := urlsplit(url)).netloc}
        for origin in origins:
            self.driver.execute_cdp_cmd(
                "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}
            )
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def close(self) -> None:
        """Close the tab and its browser context."""
        with contextlib.suppress(*DRIVER_ERRORS):  # the browser may have ended, and the tab with it
            check_running(self.driver)
            self.driver.browser.remove_user_context(self.place.context)


def check_running(driver: Driver) -> None:
    """Raise DRIVER_ERRORS at once if the browser has ended. A BiDi command would first wait for its timeout."""
    driver.execute(Command.W3C_GET_WINDOW_HANDLES)


def network_events(driver: Driver, home: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the network events since the last call, in order, grouped by the handle of the tab.

    The log is read from the empty tab `home`, because chromedriver waits for the current tab's page before it returns
    the log.
    """
    driver.switch_to.window(home)
    events: dict[str, list[Mapping[str, Any]]] = {}
    for entry in driver.get_log("performance"):
        text = entry["message"]
        if _NETWORK_EVENT not in text:
            continue
        event = json.loads(text)
        events.setdefault(event["webview"], []).append(event["message"])
    return events
