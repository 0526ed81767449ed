"""The log of all requests to the stand-in site, and the middleware that writes it."""

import re
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DOCUMENT_PATH = re.compile(r"^/(?:(?:ro|ru|en)/)?companies/([^/]+)/?$")


class Origin(StrEnum):
    """Which of the two origins was asked."""

    PAGE = "page"
    API = "api"


@dataclass(frozen=True)
class LoggedRequest:
    """One request; the status is None as long as (or because) no answer has begun."""

    time: datetime
    origin: Origin
    method: str
    path: str
    status: int | None = None


def document_idno(path: str) -> str | None:
    """What stands for the IDNO in the path of a company's page; None for any other path."""
    found = _DOCUMENT_PATH.match(path)
    return found.group(1) if found else None


class RequestLog:
    """Requests in the order they came; safe to read from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[LoggedRequest] = []

    def begin(self, request: LoggedRequest) -> int:
        """Note a request; the number returned is for `answer`."""
        with self._lock:
            self._requests.append(request)
            return len(self._requests) - 1

    def answer(self, number: int, status: int) -> None:
        """Note the status that a request was answered with."""
        with self._lock:
            self._requests[number] = replace(self._requests[number], status=status)

    def snapshot(self) -> list[LoggedRequest]:
        """All requests up to now."""
        with self._lock:
            return list(self._requests)

    def visits(self, idno: str) -> int:
        """How many documents were asked for a company; a redirect makes it two."""
        documents = [entry for entry in self.snapshot() if entry.origin is Origin.PAGE]
        return sum(document_idno(entry.path) == idno for entry in documents)


class LogRequests:
    """ASGI middleware: notes each request but those for the log itself."""

    def __init__(self, app: ASGIApp, *, log: RequestLog, origin: Origin) -> None:
        self.app = app
        self.log = log
        self.origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log on arrival, so that what never ends is seen too; add the status when it is known."""
        if scope["type"] != "http" or scope["path"].startswith("/__"):
            await self.app(scope, receive, send)
            return
        entry = LoggedRequest(datetime.now(UTC), self.origin, scope["method"], scope["path"])
        number = self.log.begin(entry)

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.log.answer(number, message["status"])
            await send(message)

        await self.app(scope, receive, send_and_note)
