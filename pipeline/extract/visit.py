"""One visit to a company's page, step by step: load, wait for what is looked for, take everything."""

import base64
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import JavascriptException, TimeoutException, WebDriverException

from pipeline.extract.browser.chrome_session import first_line
from pipeline.extract.browser.network_log import NetworkLog, NetworkRequest, complete_headers
from pipeline.extract.browser.tabs import FAILURES, Tab
from pipeline.extract.page_capture import Capture, Hop, Payload
from pipeline.extract.page_verdict import PageEvidence, PageVerdict, judge, judge_at_the_end
from pipeline.settings import Screenshots
from warehouse.contract import Outcome

_SETTLED_SECONDS = 0.3
"""How long a page that shows the company has to stand still before it is taken as complete …"""
_SETTLED_WITH_DATA_SECONDS = 0.15
"""… and where the data that it asked for has come, and shows: then nothing is left that it could be waiting for."""
_BELIEVED_SECONDS = {Outcome.SERVER_ERROR: 3.0, Outcome.NETWORK_ERROR: 3.0}
_BELIEVED_SECONDS_ELSE = 1.0
"""How long a page has to stand still before a failure it shows is believed; it may try again on its own."""
_MOVING_SECONDS = 4.0
"""How long a page may go on changing (a clock, a banner) with one and the same verdict before it is taken."""
_NAVIGATING = "aborted by navigation"
"""What chromedriver says when the page under a command is just being left for another."""
_LARGEST_BODY = 16 * 1024 * 1024

_LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Characters of a rendered page; a larger one is no company's page, and reading it would hold up the run."""

_NEEDS_EYES = frozenset({Outcome.BLOCKED, Outcome.WRONG_PAGE, Outcome.INCOMPLETE, Outcome.TIMEOUT})
"""Outcomes that a person wants to see a picture of."""

# Half a surrogate pair would not come through the driver.
_STATE = """
const html = document.documentElement ? document.documentElement.outerHTML : '';
return [html.length > arguments[0] ? null : (html.toWellFormed ? html.toWellFormed() : html), location.href];
"""


@dataclass
class _Watch:
    """What has been seen so far, and since when it has stood still."""

    network: NetworkLog
    changed_at: float
    html: str = ""
    url: str = ""
    is_too_large: bool = False
    judged_change: float | None = None
    judge_at: float = 0.0
    verdict: PageVerdict | None = None
    verdict_since: float = 0.0
    is_responsive: bool = False


class Visit:
    """A visit under way. Never raises for what the site or Chrome does: its capture says it.

    `begin`, then `take` what the network did and `step`, again and again, until there is a verdict; then `capture`.
    """

    def __init__(
        self, tab: Tab, url: str, idno: str, *, timeout_seconds: float, attempt: int, screenshots: Screenshots
    ) -> None:
        self.tab, self.url, self.idno, self.attempt = tab, url, idno, attempt
        self._screenshots = screenshots
        self._fetched_at, self._started = datetime.now(UTC), time.monotonic()
        self._deadline = self._started + timeout_seconds
        self._watch = _Watch(NetworkLog(tab.handle), self._started)
        self._payloads: dict[str, Payload] = {}
        self._timings: dict[str, float] = {}
        self.verdict: PageVerdict | None = None
        self.is_cut_off = False
        """The browser or the page did not answer: nothing more is to be had from that browser."""
        self.is_restless = False
        """The page had not come to rest; leaving it may take long, closing its tab does not."""

    @property
    def sent_at(self) -> float | None:
        """When the document was asked for, in seconds since 1970; None if it was not (yet)."""
        document = self._watch.network.document
        return document.sent_at if document else None

    @property
    def hops(self) -> int:
        """How many redirects were followed."""
        document = self._watch.network.document
        return len(document.redirects) if document else 0

    def begin(self) -> None:
        """Set out for the page."""
        with self._driver_failures():
            self.tab.focus()
            self.tab.driver.get(self.url)

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Take in what the network did."""
        if self._watch.network.feed(events):
            self._watch.changed_at = time.monotonic()
            self._mark("answered_ms", self._document_has_come())

    def step(self) -> None:
        """Look at the page once; afterwards there may be a verdict."""
        if self.verdict is None:
            with self._driver_failures():
                self._look()
                self.verdict = self._decided()
        if self.verdict is None and time.monotonic() >= self._deadline:
            self.verdict, self.is_restless = judge_at_the_end(self._seen()), True

    def cut_off(self, reason: str) -> None:
        """End the visit for want of its browser."""
        if self.verdict is None:
            self.verdict, self.is_cut_off = PageVerdict(Outcome.BROWSER_ERROR, reason), True

    def capture(self) -> Capture:
        """Return what the visit leaves behind; it must have come to a verdict."""
        assert self.verdict is not None
        self._mark("decided_ms", True)
        network = self._watch.network
        document = network.document
        is_there = not self.is_cut_off and self._is_there()
        headers, hops = complete_headers(document) if document else ({}, [])
        has_come = document is not None and document.status_code is not None
        document_id = network.document_id if has_come and is_there else None
        return Capture(
            idno=self.idno,
            url=self.url,
            final_url=self._watch.url or None,
            status_code=document.status_code if document else None,
            outcome=self.verdict.outcome,
            html=self._watch.html or None,
            payloads=tuple(self._payloads.values()),
            fetched_at=self._fetched_at,
            duration_ms=round((time.monotonic() - self._started) * 1000),
            error=self.verdict.reason,
            browser="{browserName} {browserVersion}".format_map(self.tab.driver.capabilities),
            attempt=self.attempt,
            response_headers=dict(headers) if has_come else None,
            redirects=tuple(
                Hop(url=hop.url, status_code=hop.status_code, response_headers=dict(hop.headers))
                for hop in hops
            ),
            timings=self._timings | _network_timings(document),
            document=self._body(document_id) if document_id else None,
            screenshot=self._screenshot()
            if is_there and self._is_worth_a_picture(self.verdict.outcome)
            else None,
        )

    def leave(self) -> None:
        """Leave the page and forget what it stored. Raises what a driver raises (FAILURES)."""
        self.tab.focus()
        self.tab.clear(self._watch.network.urls())

    @contextlib.contextmanager
    def _driver_failures(self) -> Any:
        try:
            yield
        except TimeoutException as error:
            self.verdict, self.is_cut_off = PageVerdict(Outcome.TIMEOUT, first_line(error)), True
        except FAILURES as error:
            message = first_line(error)
            is_network = "net::ERR_" in message
            outcome = Outcome.NETWORK_ERROR if is_network else Outcome.BROWSER_ERROR
            self.verdict, self.is_cut_off = PageVerdict(outcome, message), not is_network

    def _mark(self, name: str, happened: bool) -> None:
        if happened and name not in self._timings:
            self._timings[name] = round((time.monotonic() - self._started) * 1000, 1)

    def _document_has_come(self) -> bool:
        document = self._watch.network.document
        return document is not None and not (document.pending and document.status_code is None)

    def _look(self) -> None:
        watch = self._watch
        watch.is_responsive = False
        if not self._document_has_come():
            return  # still the page before; a command would wait for the new one
        self.tab.focus()
        self._take_payloads()
        try:
            html, url = self.tab.driver.execute_script(_STATE, _LARGEST_DOCUMENT)
        except WebDriverException as error:
            if isinstance(error, JavascriptException) or _NAVIGATING in str(error.msg):
                return
            raise
        watch.is_responsive = True
        if urlsplit(url).scheme not in ("http", "https"):
            return  # the browser's own error page is no evidence of the site
        if html is None:
            watch.is_too_large = True
            return
        if html != watch.html:
            watch.changed_at = time.monotonic()
        watch.html, watch.url = html, url

    def _take_payloads(self) -> None:
        for request_id, request in self._watch.network.data_requests():
            if request.pending or request_id in self._payloads or not _is_json(request):
                continue
            self._payloads[request_id] = Payload(
                url=request.url,
                status_code=request.status_code,
                response_headers=dict(complete_headers(request)[0]),
                body=self._body(request_id),
            )

    def _body(self, request_id: str) -> bytes | None:
        try:
            answer = self.tab.driver.execute_cdp_cmd("Network.getResponseBody", {"requestId": request_id})
        except FAILURES:
            return None  # the browser keeps no body of this answer (an error, or too large)
        body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        return body if len(body) <= _LARGEST_BODY else None

    def _is_there(self) -> bool:
        """Turn to the tab for the last time; tell whether anything is to be had from it."""
        try:
            self.tab.focus()
        except FAILURES:
            return False
        return True

    def _is_worth_a_picture(self, outcome: Outcome) -> bool:
        if not self._watch.is_responsive or self._watch.is_too_large:
            return False  # a page that does not answer would hold up all others
        if self._screenshots is Screenshots.FAILURES:
            return outcome in _NEEDS_EYES
        return self._screenshots is Screenshots.ALWAYS

    def _screenshot(self) -> bytes | None:
        try:
            shot = self.tab.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        except FAILURES:
            return None
        return base64.b64decode(shot["data"])

    def _decided(self) -> PageVerdict | None:
        """Return the verdict once the page has stood still long enough for it to be believed."""
        watch, now = self._watch, time.monotonic()
        if watch.is_too_large:
            reason = f"the rendered page has more than {_LARGEST_DOCUMENT} characters"
            return PageVerdict(Outcome.INCOMPLETE, reason, certain=True)
        if watch.network.document is None:
            return None
        if watch.judged_change != watch.changed_at and now >= watch.judge_at:
            self._judge(now)
        verdict, still = watch.verdict, now - watch.changed_at
        if verdict is None:
            return None
        self._mark("shown_ms", verdict.outcome is Outcome.OK)
        if verdict.certain or now - watch.verdict_since >= _MOVING_SECONDS:
            return verdict
        if verdict.outcome is Outcome.OK:
            return (
                verdict if still >= self._settled_seconds() and not watch.network.awaits(self.idno) else None
            )
        return verdict if still >= _BELIEVED_SECONDS.get(verdict.outcome, _BELIEVED_SECONDS_ELSE) else None

    def _settled_seconds(self) -> float:
        answer = self._watch.network.answer_about(self.idno)
        has_data = answer is not None and not answer.pending and answer.status_code == HTTPStatus.OK
        return _SETTLED_WITH_DATA_SECONDS if has_data else _SETTLED_SECONDS

    def _judge(self, now: float) -> None:
        watch = self._watch
        verdict = judge(self._seen())
        if verdict is None or watch.verdict is None or verdict.outcome is not watch.verdict.outcome:
            watch.verdict_since = now
        watch.verdict, watch.judged_change = verdict, watch.changed_at
        # A page that is slow to read and changes all the time must not take all the time there is.
        watch.judge_at = time.monotonic() + (time.monotonic() - now)

    def _seen(self) -> PageEvidence:
        bodies = [payload.body for payload in self._payloads.values() if payload.body is not None]
        return PageEvidence(self.idno, self._watch.html, self._watch.network, bodies)


def not_visited(url: str, idno: str, *, reason: str, outcome: Outcome, attempt: int = 1) -> Capture:
    """Return the capture of a visit that did not begin: for want of a browser, or because it is not allowed."""
    return Capture(
        idno=idno,
        url=url,
        final_url=None,
        status_code=None,
        outcome=outcome,
        html=None,
        fetched_at=datetime.now(UTC),
        duration_ms=0,
        error=reason,
        attempt=attempt,
    )


def _is_json(request: NetworkRequest) -> bool:
    return "json" in request.mime_type.lower() or "json" in request.headers.get("content-type", "").lower()


def _network_timings(document: NetworkRequest | None) -> dict[str, float]:
    """The document's own times, in milliseconds since it was asked for (Resource Timing, by DevTools)."""
    wanted = {"dnsEnd": "dns_ms", "connectEnd": "connected_ms", "receiveHeadersEnd": "headers_ms"}
    timing = document.timing if document else {}
    return {name: round(timing[key], 1) for key, name in wanted.items() if timing.get(key, -1) >= 0}
