"""One visit to a company's page: load, wait for what is looked for, take everything."""

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import JavascriptException, TimeoutException, WebDriverException
from selenium.webdriver import Chrome
from urllib3.exceptions import HTTPError

from pipeline.extract.browser import first_line
from pipeline.extract.capture import Capture, Payload
from pipeline.extract.network import Network, Request
from pipeline.extract.outcome import Seen, Verdict, judge, judge_at_the_end
from warehouse.contract import Outcome

_POLL_SECONDS = 0.05
_SETTLED_SECONDS = 0.3
"""How long a page that shows the company has to stand still before it is taken as complete."""
_BELIEVED_SECONDS = {Outcome.SERVER_ERROR: 3.0, Outcome.NETWORK_ERROR: 3.0}
_BELIEVED_SECONDS_ELSE = 1.0
"""How long a page has to stand still before a failure it shows is believed; it may try again on its own."""
_MOVING_SECONDS = 4.0
"""How long a page may go on changing (a clock, a banner) with one and the same verdict before it is taken."""
_NAVIGATING = "aborted by navigation"
"""What chromedriver says when the page under a command is just being left for another."""
_LARGEST_PAYLOAD = 16 * 1024 * 1024

_LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Characters of a rendered page; a larger one is no company's page, and reading it would hold up the run."""

# Half a surrogate pair would not come through the driver.
_STATE = """
const html = document.documentElement ? document.documentElement.outerHTML : '';
return [html.length > arguments[0] ? null : (html.toWellFormed ? html.toWellFormed() : html), location.href];
"""


@dataclass
class _Watch:
    """What has been seen so far, and since when it has stood still."""

    network: Network
    html: str = ""
    url: str = ""
    changed_at: float = 0.0
    is_too_large: bool = False
    judged_change: float | None = None
    judge_at: float = 0.0
    verdict: Verdict | None = None
    verdict_since: float = 0.0


def visit(driver: Chrome, url: str, idno: str, *, timeout_seconds: float) -> Capture:
    """Visit `url` as the page of the company `idno`. Never raises for what the site or Chrome does:
    the capture's outcome and error say it.
    """
    fetched_at, started = datetime.now(UTC), time.monotonic()
    visitor = _Visitor(driver, idno, started + timeout_seconds)
    try:
        verdict = visitor.go(url)
    except TimeoutException as error:
        verdict = Verdict(Outcome.TIMEOUT, first_line(error))
    except (WebDriverException, HTTPError, OSError) as error:
        verdict = _browser_verdict(error)
    if verdict.outcome is Outcome.TIMEOUT and (death := _death_of(driver)):
        verdict = death
    return Capture(
        idno=idno,
        url=url,
        final_url=visitor.final_url,
        status_code=visitor.status_code,
        outcome=verdict.outcome,
        html=visitor.watch.html or None,
        payloads=tuple(visitor.payloads.values()),
        fetched_at=fetched_at,
        duration_ms=round((time.monotonic() - started) * 1000),
        error=verdict.reason,
        browser=f"{driver.capabilities['browserName']} {driver.capabilities['browserVersion']}",
    )


def not_visited(url: str, idno: str, *, reason: str) -> Capture:
    """Return the capture of a visit that could not begin, for want of a browser."""
    return Capture(
        idno=idno,
        url=url,
        final_url=None,
        status_code=None,
        outcome=Outcome.BROWSER_ERROR,
        html=None,
        fetched_at=datetime.now(UTC),
        duration_ms=0,
        error=reason,
    )


def _death_of(driver: Chrome) -> Verdict | None:
    """Return what became of a browser that was waited for in vain: its log stays readable when it has died."""
    try:
        driver.window_handles  # noqa: B018 - asks the browser itself, not the page, which may be busy
    except (WebDriverException, HTTPError, OSError) as error:
        return Verdict(Outcome.BROWSER_ERROR, first_line(error))
    return None


def _browser_verdict(error: Exception) -> Verdict:
    message = first_line(error)
    if "net::ERR_" in message:
        return Verdict(Outcome.NETWORK_ERROR, message)
    return Verdict(Outcome.BROWSER_ERROR, message)


class _Visitor:
    """The state of one visit."""

    def __init__(self, driver: Chrome, idno: str, deadline: float) -> None:
        self._driver, self._idno, self._deadline = driver, idno, deadline
        self.watch = _Watch(Network(frame_id=""))
        self.payloads: dict[str, Payload] = {}

    @property
    def status_code(self) -> int | None:
        """The real status of the main document."""
        document = self.watch.network.document
        return document.status_code if document else None

    @property
    def final_url(self) -> str | None:
        """Where the visit ended, after redirects."""
        return self.watch.url or None

    def go(self, url: str) -> Verdict:
        """Load the page and watch it until it shows what is looked for, or the time is over."""
        self._forget_the_last_visit()
        frame = self._driver.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
        self.watch = _Watch(Network(frame), changed_at=time.monotonic())
        self._driver.get(url)
        while time.monotonic() < self._deadline:
            self._look()
            if verdict := self._decided():
                return verdict
            time.sleep(_POLL_SECONDS)
        return judge_at_the_end(self._seen())

    def _forget_the_last_visit(self) -> None:
        """An empty page without the last one's cookies and storage; its log is drained."""
        last = urlsplit(self._driver.current_url)
        self._driver.get("about:blank")
        if last.netloc:
            origin = f"{last.scheme}://{last.netloc}"
            self._driver.execute_cdp_cmd(
                "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}
            )
            self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self._log()

    def _look(self) -> None:
        watch, now = self.watch, time.monotonic()
        if watch.network.feed(self._log()):
            watch.changed_at = now
            self._take_payloads()
        document = watch.network.document
        if document is None or (document.pending and document.status_code is None):
            return  # still the page before
        try:
            html, url = self._driver.execute_script(_STATE, _LARGEST_DOCUMENT)
        except WebDriverException as error:
            if isinstance(error, JavascriptException) or _NAVIGATING in str(error.msg):
                return
            raise
        if urlsplit(url).scheme not in ("http", "https"):
            return  # the browser's own error page is no evidence of the site
        if html is None:
            watch.is_too_large = True
            return
        if html != watch.html:
            watch.changed_at = now
        watch.html, watch.url = html, url

    def _log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._driver.get_log("performance")  # type: ignore[no-untyped-call]
        return entries

    def _take_payloads(self) -> None:
        for request_id, request in self.watch.network.data_requests():
            if request.pending or request_id in self.payloads or not _is_json(request):
                continue
            self.payloads[request_id] = Payload(
                url=request.url, status_code=request.status_code, body=self._body(request_id)
            )

    def _body(self, request_id: str) -> bytes | None:
        try:
            answer = self._driver.execute_cdp_cmd("Network.getResponseBody", {"requestId": request_id})
        except WebDriverException:
            return None  # the browser keeps no body of this answer (an error, or too large)
        body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        return body if len(body) <= _LARGEST_PAYLOAD else None

    def _decided(self) -> Verdict | None:
        """Return the verdict once the page has stood still long enough for it to be believed."""
        watch, now = self.watch, time.monotonic()
        if watch.is_too_large:
            reason = f"the rendered page has more than {_LARGEST_DOCUMENT} characters"
            return Verdict(Outcome.INCOMPLETE, reason, certain=True)
        if watch.network.document is None:
            return None
        if watch.judged_change != watch.changed_at and now >= watch.judge_at:
            self._judge(now)
        verdict, still = watch.verdict, now - watch.changed_at
        if verdict is None:
            return None
        if verdict.certain or now - watch.verdict_since >= _MOVING_SECONDS:
            return verdict
        if verdict.outcome is Outcome.OK:
            return verdict if still >= _SETTLED_SECONDS and not watch.network.awaits(self._idno) else None
        return verdict if still >= _BELIEVED_SECONDS.get(verdict.outcome, _BELIEVED_SECONDS_ELSE) else None

    def _judge(self, now: float) -> None:
        watch = self.watch
        verdict = judge(self._seen())
        if verdict is None or watch.verdict is None or verdict.outcome is not watch.verdict.outcome:
            watch.verdict_since = now
        watch.verdict, watch.judged_change = verdict, watch.changed_at
        # A page that is slow to read and changes all the time must not take all the time there is.
        watch.judge_at = time.monotonic() + (time.monotonic() - now)

    def _seen(self) -> Seen:
        bodies = [payload.body for payload in self.payloads.values() if payload.body is not None]
        return Seen(self._idno, self.watch.html, self.watch.network, bodies)


def _is_json(request: Request) -> bool:
    return "json" in request.mime_type.lower() or "json" in request.headers.get("content-type", "").lower()
