"""A visit: loads one company's page step by step, waits for a verdict and collects the capture."""

import base64
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import JavascriptException, TimeoutException, WebDriverException

from pipeline.extract.browser.chrome_session import Driver, first_line
from pipeline.extract.browser.network_log import NetworkLog, NetworkRequest, complete_headers
from pipeline.extract.browser.tabs import DRIVER_ERRORS, Tab
from pipeline.extract.page_capture import Capture, Hop, Payload
from pipeline.extract.page_verdict import PageEvidence, PageVerdict, judge, judge_at_deadline
from pipeline.settings import Screenshots
from pipeline.transform.html.visibility import INLINE_TAGS
from warehouse.contract import Outcome

_SETTLED_SECONDS = 0.3
"""A page that shows the company counts as complete when it has not changed for this long."""
_SETTLED_WITH_DATA_SECONDS = 0.15
"""The same, if the answer with the company's data has arrived: the page then has nothing left to wait for."""
_FAILURE_SETTLED_SECONDS = {Outcome.SERVER_ERROR: 3.0, Outcome.NETWORK_ERROR: 3.0}
_OTHER_FAILURE_SETTLED_SECONDS = 1.0
"""A page's failure counts only when the page has not changed for this long, because the page may retry by itself."""
_MAX_UNSETTLED_SECONDS = 4.0
"""If a page never stops changing (a clock, a banner), a verdict counts when it has been the same for this long."""
_NAVIGATION_ERROR = "aborted by navigation"
"""chromedriver's message when the page navigates away during a command."""
_MAX_BODY_BYTES = 16 * 1024 * 1024

_MAX_DOCUMENT_CHARACTERS = 4 * 1024 * 1024
"""The largest rendered page; a larger one is not a company's page, and reading it would block the run."""

_INLINE_TAGS = sorted(INLINE_TAGS)
_SCREENSHOT_OUTCOMES = frozenset({Outcome.BLOCKED, Outcome.WRONG_PAGE, Outcome.INCOMPLETE, Outcome.TIMEOUT})
"""Outcomes that a person has to check, for which a screenshot helps."""

_READ_PAGE_SCRIPT = (Path(__file__).parent / "read_page.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class ShownPage:
    """A page as the browser shows it. `html` is None if it is too long; `look` is None if it was not recorded."""

    html: str | None
    url: str
    look: str | None
    is_appearing: bool
    """Whether an animation still hides or moves a part of the page. (Only known if the look was recorded.)"""


def read_rendered(driver: Driver, *, with_look: bool, scrolls: bool = False) -> ShownPage:
    """Read the page in the driver's current tab.

    Args:
        driver: The browser.
        with_look: Whether to record how the page looks, which takes longer.
        scrolls: Whether to scroll the page to its end afterwards.
    """
    return ShownPage(
        *driver.execute_script(_READ_PAGE_SCRIPT, _MAX_DOCUMENT_CHARACTERS, with_look, scrolls, _INLINE_TAGS)
    )


@dataclass
class _PageState:
    """What the visit has seen of the page so far. Times are readings of the monotonic clock, in seconds."""

    network: NetworkLog
    changed_at: float
    html: str = ""
    url: str = ""
    look: str | None = None
    """What the page looked like when `html` was read, if this was recorded (`has_look`)."""
    has_look: bool = False
    is_scrolled: bool = False
    """Whether the page was scrolled to its end, so that it loads what it loads only then."""
    is_too_large: bool = False
    judged_change: float | None = None
    """The value of `changed_at` when the page was last judged. If it is still the same, there is nothing to judge."""
    judge_at: float = 0.0
    """When the page may be judged again."""
    verdict: PageVerdict | None = None
    verdict_since: float = 0.0
    is_responsive: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether the page has been judged since it changed."""
        return self.judged_change == self.changed_at


class Visit:
    """A visit in progress. Failures of the site or of Chrome are not raised: they become the verdict.

    The caller calls `begin`, then repeatedly `feed` and `step` until `verdict` is set, then `capture`.
    """

    def __init__(
        self, tab: Tab, url: str, idno: str, *, timeout_seconds: float, attempt: int, screenshots: Screenshots
    ) -> None:
        self.tab, self.url, self.idno, self.attempt = tab, url, idno, attempt
        self._screenshots = screenshots
        self._fetched_at, self._started = datetime.now(UTC), time.monotonic()
        self._deadline = self._started + timeout_seconds
        self._state = _PageState(NetworkLog(tab.handle), self._started)
        self._payloads: dict[str, Payload] = {}
        self._timings: dict[str, float] = {}
        self.verdict: PageVerdict | None = None
        self.is_aborted = False
        """Whether the browser or the page stopped answering, so that the browser is no longer usable."""
        self.is_unsettled = False
        """Whether the page was changing at the deadline. Its tab is then closed, because leaving it may take long."""

    @property
    def sent_at(self) -> float | None:
        """When the document was requested, in seconds since 1970; None before that."""
        document = self._state.network.document
        return document.sent_at if document else None

    @property
    def redirect_count(self) -> int:
        """The number of redirects that the request for the document followed."""
        document = self._state.network.document
        return len(document.redirects) if document else 0

    def begin(self) -> None:
        """Start to load the page."""
        with self._driver_failures():
            self.tab.focus()
            self.tab.driver.get(self.url)

    def feed(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Process the tab's network events since the last call."""
        if self._state.network.feed(events):
            self._state.changed_at = time.monotonic()
            self._record_timing("answered_ms", self._has_document())

    def step(self) -> None:
        """Read and judge the page once. Set `verdict` if the outcome is settled or the deadline has passed."""
        if self.verdict is None:
            with self._driver_failures():
                # Reading the look takes longer than reading the HTML. A page that has just changed will probably have
                # changed again, so that its look is needed.
                self._read_page(with_look=not self._state.is_judged)
                self.verdict = self._confirmed_verdict()
        if self.verdict is None and time.monotonic() >= self._deadline:
            self.verdict, self.is_unsettled = judge_at_deadline(self._evidence()), True

    def abort(self, reason: str) -> None:
        """End the visit with the outcome `browser_error`, unless it already has a verdict."""
        if self.verdict is None:
            self.verdict, self.is_aborted = PageVerdict(Outcome.BROWSER_ERROR, reason), True

    def capture(self) -> Capture:
        """Return the capture; the visit must have a verdict."""
        assert self.verdict is not None
        self._record_timing("decided_ms", True)
        network = self._state.network
        document = network.document
        has_tab = not self.is_aborted and self._focus_tab()
        headers, hops = complete_headers(document) if document else ({}, [])
        has_answer = document is not None and document.status_code is not None
        document_id = network.document_id if has_answer and has_tab else None
        return Capture(
            idno=self.idno,
            url=self.url,
            final_url=self._state.url or None,
            status_code=document.status_code if document else None,
            outcome=self.verdict.outcome,
            html=self._state.html or None,
            look=self._state.look,
            payloads=tuple(self._payloads.values()),
            fetched_at=self._fetched_at,
            duration_ms=round((time.monotonic() - self._started) * 1000),
            error=self.verdict.reason,
            browser="{browserName} {browserVersion}".format_map(self.tab.driver.capabilities),
            attempt=self.attempt,
            response_headers=dict(headers) if has_answer else None,
            redirects=tuple(
                Hop(url=hop.url, status_code=hop.status_code, response_headers=dict(hop.headers))
                for hop in hops
            ),
            timings=self._timings | _network_timings(document),
            document=self._body(document_id) if document_id else None,
            screenshot=self._screenshot()
            if has_tab and self._wants_screenshot(self.verdict.outcome)
            else None,
        )

    def leave(self) -> None:
        """Leave the page and delete what the page stored in the browser. Raises DRIVER_ERRORS."""
        self.tab.focus()
        self.tab.clear(self._state.network.urls())

    @contextlib.contextmanager
    def _driver_failures(self) -> Any:
        """Set a verdict, instead of raising, if the driver raises an error inside the `with` block."""
        try:
            yield
        except TimeoutException as error:
            self.verdict, self.is_aborted = PageVerdict(Outcome.TIMEOUT, first_line(error)), True
        except DRIVER_ERRORS as error:
            message = first_line(error)
            is_network = "net::ERR_" in message
            outcome = Outcome.NETWORK_ERROR if is_network else Outcome.BROWSER_ERROR
            self.verdict, self.is_aborted = PageVerdict(outcome, message), not is_network

    def _record_timing(self, name: str, happened: bool) -> None:
        if happened and name not in self._timings:
            self._timings[name] = round((time.monotonic() - self._started) * 1000, 1)

    def _has_document(self) -> bool:
        document = self._state.network.document
        return document is not None and not (document.pending and document.status_code is None)

    def _read_page(self, *, with_look: bool) -> None:
        """Read the rendered page and new payloads. Do nothing if the document has not been received yet.

        The look is read if `with_look` is True; it stays if it is not read and the HTML has not changed.
        """
        state = self._state
        state.is_responsive = False
        if not self._has_document():
            return  # the tab still shows the previous page; a command would block until the new one has loaded
        self.tab.focus()
        self._collect_payloads()
        try:
            page = read_rendered(self.tab.driver, with_look=with_look, scrolls=self._must_scroll())
            state.is_scrolled |= self._must_scroll()
        except WebDriverException as error:
            if isinstance(error, JavascriptException) or _NAVIGATION_ERROR in str(error.msg):
                return
            raise
        state.is_responsive = True
        if urlsplit(page.url).scheme not in ("http", "https"):
            return  # the browser's own error page says nothing about the site
        if page.html is None:
            state.is_too_large = True
            return
        is_changed = page.html != state.html
        looks_different = with_look and state.has_look and page.look != state.look
        if is_changed or looks_different or page.is_appearing:
            state.changed_at = time.monotonic()
        if is_changed or with_look:
            state.look, state.has_look = page.look, with_look
        state.html, state.url = page.html, page.url

    def _must_scroll(self) -> bool:
        """Tell whether to scroll the page: once, as soon as it shows the company."""
        verdict = self._state.verdict
        return verdict is not None and verdict.outcome is Outcome.OK and not self._state.is_scrolled

    def _collect_payloads(self) -> None:
        for request_id, request in self._state.network.data_requests():
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
        except DRIVER_ERRORS:
            return None  # the browser did not keep the body (an error, or too large)
        body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        return body if len(body) <= _MAX_BODY_BYTES else None

    def _focus_tab(self) -> bool:
        """Focus the tab; return False if the driver does not answer."""
        try:
            self.tab.focus()
        except DRIVER_ERRORS:
            return False
        return True

    def _wants_screenshot(self, outcome: Outcome) -> bool:
        if not self._state.is_responsive or self._state.is_too_large:
            return False  # a page that does not answer would block the visits in the other tabs
        if self._screenshots is Screenshots.FAILURES:
            return outcome in _SCREENSHOT_OUTCOMES
        return self._screenshots is Screenshots.ALWAYS

    def _screenshot(self) -> bytes | None:
        try:
            if self._state.is_scrolled:
                self.tab.driver.execute_script("scrollTo(0, 0)")
            shot = self.tab.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        except DRIVER_ERRORS:
            return None
        return base64.b64decode(shot["data"])

    def _confirmed_verdict(self) -> PageVerdict | None:
        """Return the settled verdict, unless the page looks different now from when it was judged.

        A style sheet that arrives late, or an animation, changes the look of a page but not its HTML.
        """
        verdict = self._settled_verdict()
        if verdict is None or verdict.certain or not self._state.is_responsive:
            return verdict
        self._read_page(with_look=True)
        return self._settled_verdict()

    def _settled_verdict(self) -> PageVerdict | None:
        """Return the verdict if it is certain or the page has not changed for long enough; otherwise None."""
        state, now = self._state, time.monotonic()
        if state.is_too_large:
            reason = f"the rendered page has more than {_MAX_DOCUMENT_CHARACTERS} characters"
            return PageVerdict(Outcome.INCOMPLETE, reason, certain=True)
        if state.network.document is None:
            return None
        if not state.is_judged and now >= state.judge_at:
            if not state.has_look:
                self._read_page(with_look=True)
            self._judge(now)
        verdict, unchanged_seconds = state.verdict, now - state.changed_at
        if verdict is None:
            return None
        self._record_timing("shown_ms", verdict.outcome is Outcome.OK)
        if verdict.certain or now - state.verdict_since >= _MAX_UNSETTLED_SECONDS:
            return verdict
        if verdict.outcome is Outcome.OK:
            is_complete = state.is_scrolled and unchanged_seconds >= self._settled_seconds()
            is_waiting = state.network.awaits_data_about(self.idno) or state.network.awaits_style_sheets
            return verdict if is_complete and not is_waiting else None
        settled_seconds = _FAILURE_SETTLED_SECONDS.get(verdict.outcome, _OTHER_FAILURE_SETTLED_SECONDS)
        return verdict if unchanged_seconds >= settled_seconds else None

    def _settled_seconds(self) -> float:
        request = self._state.network.data_request_for(self.idno)
        has_data = request is not None and not request.pending and request.status_code == HTTPStatus.OK
        return _SETTLED_WITH_DATA_SECONDS if has_data else _SETTLED_SECONDS

    def _judge(self, now: float) -> None:
        state = self._state
        verdict = judge(self._evidence())
        if verdict is None or state.verdict is None or verdict.outcome is not state.verdict.outcome:
            state.verdict_since = now
        state.verdict, state.judged_change = verdict, state.changed_at
        # Wait for as long as the judgement took. Otherwise a large page that keeps changing would take all of the time.
        state.judge_at = time.monotonic() + (time.monotonic() - now)

    def _evidence(self) -> PageEvidence:
        bodies = [payload.body for payload in self._payloads.values() if payload.body is not None]
        return PageEvidence(self.idno, self._state.html, self._state.network, bodies, look=self._state.look)


def unvisited_capture(url: str, idno: str, *, reason: str, outcome: Outcome, attempt: int = 1) -> Capture:
    """Return a capture without content, for a visit that could not begin.

    Either no browser started, or robots.txt disallows the URL.

    Args:
        url: The page that was to be visited.
        idno: The company.
        reason: Why the visit did not begin; stored as the capture's error.
        outcome: The outcome of the capture.
        attempt: The number of the attempt within the run.
    """
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
    """Return the document's network times, in milliseconds since it was requested (Resource Timing, from DevTools)."""
    names = {"dnsEnd": "dns_ms", "connectEnd": "connected_ms", "receiveHeadersEnd": "headers_ms"}
    timing = document.timing if document else {}
    return {name: round(timing[key], 1) for key, name in names.items() if timing.get(key, -1) >= 0}
