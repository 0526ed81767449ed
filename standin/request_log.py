"""The log of all requests to the stand-in site, and the middleware that writes it."""

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
    """Which of the two origins was asked."""

    PAGE = "page"
    API = "api"


@dataclass(frozen=True)
class LoggedRequest:
    """One request; the status is None as long as (or because) no answer has begun."""

    time: datetime
    origin: SiteOrigin
    method: str
    path: str
    is_document: bool
    """Whether it was for a company's page."""
    status: int | None = None


class Document(NamedTuple):
    """A company's page that was asked for."""

    time: datetime
    idno: str


def document_idno(path: str) -> str | None:
    """What stands for the IDNO in the path of a company's page; None for any other path."""
    found = _DOCUMENT_PATH.match(path)
    return found.group(1) if found else None


class RequestLog:
    """Requests in the order they came; safe to read from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[int, LoggedRequest] = {}
        self._numbers = itertools.count()
        self._visits: Counter[str] = Counter()

    def begin(self, request: LoggedRequest) -> int:
        """Note a request; the number returned is for `answer`."""
        with self._lock:
            number = next(self._numbers)
            self._requests[number] = request
            if request.is_document:
                self._visits[document_idno(request.path) or ""] += 1
            return number

    def answer(self, number: int, status: int) -> None:
        """Note the status that a request was answered with."""
        with self._lock:
            if number in self._requests:
                self._requests[number] = replace(self._requests[number], status=status)

    def snapshot(self) -> list[LoggedRequest]:
        """All requests up to now, but for those that were forgotten."""
        with self._lock:
            return list(self._requests.values())

    def forget(self) -> None:
        """Begin anew; what is over after the first visit stays over."""
        with self._lock:
            self._requests.clear()

    def documents(self) -> list[Document]:
        """The companies' pages that were asked for, in order."""
        return [
            Document(entry.time, document_idno(entry.path) or "")
            for entry in self.snapshot()
            if entry.is_document
        ]

    def max_documents_in(self, window_seconds: float) -> int:
        """The most documents that were asked for within any time of this length."""
        times = sorted(document.time.timestamp() for document in self.documents())
        return max(
            (
                number + 1 - bisect_right(times, time - window_seconds, hi=number)
                for number, time in enumerate(times)
            ),
            default=0,
        )

    def visits(self, idno: str) -> int:
        """How many documents were asked for a company; a redirect makes it two."""
        return sum(document.idno == idno for document in self.documents())

    def visits_ever(self, idno: str) -> int:
        """The same since the site was started, whatever was forgotten."""
        with self._lock:
            return self._visits[idno]


class LogRequests:
    """ASGI middleware: notes each request but those for the log itself."""

    def __init__(self, app: ASGIApp, *, log: RequestLog, origin: SiteOrigin) -> None:
        self.app = app
        self.log = log
        self.origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log on arrival, so that what never ends is seen too; add the status when it is known."""
        if scope["type"] != "http" or scope["path"].startswith("/__"):
            await self.app(scope, receive, send)
            return
        is_document = self.origin is SiteOrigin.PAGE and document_idno(scope["path"]) is not None
        entry = LoggedRequest(
            datetime.now(UTC), self.origin, scope["method"], scope["path"], is_document=is_document
        )
        number = self.log.begin(entry)

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.log.answer(number, message["status"])
            await send(message)

        await self.app(scope, receive, send_and_note)
