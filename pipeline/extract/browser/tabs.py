"""Isolated tabs of one browser: each in a browser context of its own, none waiting for another."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import WebDriverException
from urllib3.exceptions import HTTPError
from websocket import WebSocketException

from pipeline.extract.browser.chrome_session import Driver

FAILURES = (WebDriverException, WebSocketException, HTTPError, OSError)
"""What a driver raises when the page, the browser or the driver does not answer."""
_NETWORK = '"method":"Network.'


@dataclass(frozen=True)
class TabPlace:
    """Where a tab is: the browser context, and the window in it."""

    context: str
    handle: str


class Tab:
    """A tab with cookies, storage and cache of its own."""

    def __init__(self, driver: Driver, place: TabPlace | None = None) -> None:
        """Open a tab, or take one that was opened before."""
        self.driver = driver
        self.place = place or self._open()

    def _open(self) -> TabPlace:
        browser = self.driver.browser
        context = browser.create_user_context()
        browser.set_download_behavior(allowed=False, user_contexts=[context])
        # A window, not a tab of one: pages that are behind another do not render.
        handle: str = self.driver.browsing_context.create(type="window", user_context=context)
        self.driver.switch_to.window(handle)
        self.driver.execute_cdp_cmd("Network.setBypassServiceWorker", {"bypass": True})
        return TabPlace(context, handle)

    @property
    def handle(self) -> str:
        """The name of the tab's window."""
        return self.place.handle

    def focus(self) -> None:
        """Have the driver's commands go to this tab."""
        self.driver.switch_to.window(self.handle)

    def clear(self, urls: Iterable[str]) -> None:
        """Leave the page, and forget what it stored; `urls` are those that it asked for."""
        self.driver.get("about:blank")
        origins = {f"{parts.scheme}://{parts.netloc}" for url in urls if (parts := urlsplit(url)).netloc}
        for origin in origins:
            self.driver.execute_cdp_cmd(
                "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}
            )
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def close(self) -> None:
        """Close the tab with all that is in its context; a browser that is gone has done so itself."""
        with contextlib.suppress(*FAILURES):
            self.driver.browser.remove_user_context(self.place.context)


def network_events(driver: Driver, home: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return what the network did since the last call, by the tab's handle, in order.

    Asked from the empty tab `home`: chromedriver waits for the page in the current one before it hands out its log.
    """
    driver.switch_to.window(home)
    events: dict[str, list[Mapping[str, Any]]] = {}
    for entry in driver.get_log("performance"):
        text = entry["message"]
        if _NETWORK not in text:
            continue
        event = json.loads(text)
        events.setdefault(event["webview"], []).append(event["message"])
    return events
