"""The request log of the stand-in site, and the middleware that writes it."""

import itertools
import re
import threading
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DOCUMENT_PATH = re.compile(r"^/(?:(?:ro|ru|en)/)?companies/([^/]+)/?$")


class SiteOrigin(StrEnum):
    """The two origins of the site, each with a port of its own."""

    PAGE = "page"
    API = "api"


@dataclass(frozen=True)
class LoggedRequest:
    """One request. Its status is None as long as no response has started."""

    time: datetime
    origin: SiteOrigin
    method: str
    path: str
    is_document: bool
    """Whether the request was for a company's page."""
    status: int | None = None


class Document(NamedTuple):
    """A document: a request for a company's page."""

    time: datetime
    idno: str


def document_idno(path: str) -> str | None:
    """Return the IDNO in the path of a company's page (it may be invalid); None for any other path."""
    match = _DOCUMENT_PATH.match(path)
    return match.group(1) if match else None


class RequestLog:
    """The requests to the site in order of arrival. Any thread may read the log."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[int, LoggedRequest] = {}
        self._numbers = itertools.count()
        self._visits: Counter[str] = Counter()

    def record_request(self, request: LoggedRequest) -> int:
        """Record a request; return the number with which `record_status` identifies it."""
        with self._lock:
            number = next(self._numbers)
            self._requests[number] = request
            if request.is_document:
                self._visits[document_idno(request.path) or ""] += 1
            return number

    def record_status(self, number: int, status: int) -> None:
        """Record the status of the response to the request with this number."""
        with self._lock:
            if number in self._requests:
                self._requests[number] = replace(self._requests[number], status=status)

    def snapshot(self) -> list[LoggedRequest]:
        """Return all requests since the last `clear`."""
        with self._lock:
            return list(self._requests.values())

    def clear(self) -> None:
        """Remove all requests from the log. The counts of visits are kept, because the faults depend on them."""
        with self._lock:
            self._requests.clear()

    def documents(self) -> list[Document]:
        """Return the requests for companies' pages, in order."""
        return [
            Document(entry.time, document_idno(entry.path) or "")
            for entry in self.snapshot()
            if entry.is_document
        ]

    def max_documents_in(self, window_seconds: float) -> int:
        """Return the largest number of requests for companies' pages within any period of `window_seconds`."""
        times = sorted(document.time.timestamp() for document in self.documents())
        return max(
            (
                number + 1 - bisect_right(times, time - window_seconds, hi=number)
                for number, time in enumerate(times)
            ),
            default=0,
        )

    def visits(self, idno: str) -> int:
        """Return the number of requests for a company's page in the log; a visit with a redirect counts as two."""
        return sum(document.idno == idno for document in self.documents())

    def total_visits(self, idno: str) -> int:
        """Return the number of requests for a company's page since the site's start, even if the log was cleared."""
        with self._lock:
            return self._visits[idno]


class LogRequests:
    """ASGI middleware that records each request, except requests that read the log."""

    def __init__(self, app: ASGIApp, *, log: RequestLog, origin: SiteOrigin) -> None:
        self.app = app
        self.log = log
        self.origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request when it arrives, so that requests without response are recorded; add the status later."""
        if scope["type"] != "http" or scope["path"].startswith("/__"):
            await self.app(scope, receive, send)
            return
        is_document = self.origin is SiteOrigin.PAGE and document_idno(scope["path"]) is not None
        entry = LoggedRequest(
            datetime.now(UTC), self.origin, scope["method"], scope["path"], is_document=is_document
        )
        number = self.log.record_request(entry)

        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.log.record_status(number, message["status"])
            await send(message)

        await self.app(scope, receive, send_and_record)
