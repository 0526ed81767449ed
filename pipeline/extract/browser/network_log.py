"""What the page's network did, told by Chrome's performance log (DevTools protocol events)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_DATA_TYPES = ("XHR", "Fetch")
_ABORTED = "net::ERR_ABORTED"
"""The page itself gave the request up."""


@dataclass(frozen=True)
class Redirect:
    """One hop on the way to the document."""

    url: str
    status_code: int
    headers: Mapping[str, str]


@dataclass
class NetworkRequest:
    """One request of the page, as far as it has come. `sent_at` is in seconds since 1970."""

    url: str
    type: str
    sent_at: float | None = None
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mime_type: str = ""
    timing: Mapping[str, float] = field(default_factory=dict)
    redirects: list[Redirect] = field(default_factory=list)
    raw_headers: list[Mapping[str, str]] = field(default_factory=list)
    """As they came over the wire, cookies included: one set a hop, then the last answer's."""
    finished: bool = False
    failure: str | None = None

    @property
    def pending(self) -> bool:
        """Whether an answer is still on its way."""
        return not self.finished and self.failure is None


class NetworkLog:
    """The requests of one visit, kept up to date by `feed`."""

    def __init__(self, frame_id: str) -> None:
        self._frame_id = frame_id
        self._requests: dict[str, NetworkRequest] = {}
        self._document_id: str | None = None

    def feed(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        """Take in events of the page; tell whether one of them was about a request."""
        moved = False
        for message in messages:
            handler = self._HANDLERS.get(message["method"])
            if handler is not None:
                handler(self, message["params"])
                moved = True
        return moved

    @property
    def document_id(self) -> str | None:
        """The main document's request id."""
        return self._document_id

    @property
    def document(self) -> NetworkRequest | None:
        """The main document's request: of the main frame, the last after redirects."""
        return self._requests.get(self._document_id) if self._document_id else None

    def urls(self) -> list[str]:
        """Everything that was asked for."""
        return [request.url for request in self._requests.values()]

    def data_requests(self) -> list[tuple[str, NetworkRequest]]:
        """The requests that scripts made for data, with their ids, in the order they were made."""
        return [(i, request) for i, request in self._requests.items() if request.type in _DATA_TYPES]

    def awaits(self, idno: str) -> bool:
        """Whether data on a company is still on its way: a request that names it, or to a host of such a one.

        (What other hosts are asked, statistics or advertisements, may hang for ever.)
        """
        data = [request for _, request in self.data_requests()]
        hosts = {urlsplit(request.url).netloc for request in data if idno in request.url}
        return any(
            request.pending and (not hosts or urlsplit(request.url).netloc in hosts) for request in data
        )

    def answer_about(self, idno: str) -> NetworkRequest | None:
        """The page's own request for a company: of those that name it the likeliest, asked the last time."""
        named = [
            request
            for _, request in self.data_requests()
            if idno in request.url and request.failure != _ABORTED
        ]
        if not named:
            return None
        likeliest = min(
            named, key=lambda request: not urlsplit(request.url).path.endswith(f"companies/{idno}")
        )
        return next(request for request in reversed(named) if request.url == likeliest.url)

    def _on_request(self, params: Mapping[str, Any]) -> None:
        request_id = params["requestId"]
        is_navigation = params.get("type") == "Document" and request_id == params.get("loaderId")
        if is_navigation and params.get("frameId") == self._frame_id and request_id != self._document_id:
            self._requests.clear()  # what the page before asked for says nothing of this one
            self._document_id = request_id
        hop = params.get("redirectResponse")
        if hop is not None and request_id in self._requests:
            request = self._requests[request_id]
            request.redirects.append(Redirect(hop["url"], hop["status"], _lower(hop["headers"])))
            request.url = params["request"]["url"]
            return
        self._requests[request_id] = NetworkRequest(
            url=params["request"]["url"], type=params.get("type", ""), sent_at=params.get("wallTime")
        )

    def _on_response(self, params: Mapping[str, Any]) -> None:
        request = self._requests.setdefault(
            params["requestId"], NetworkRequest(url=params["response"]["url"], type=params.get("type", ""))
        )
        response = params["response"]
        request.url, request.status_code = response["url"], response["status"]
        request.headers = _lower(response["headers"])
        request.mime_type = response.get("mimeType", "")
        request.timing = response.get("timing") or {}

    def _on_raw_headers(self, params: Mapping[str, Any]) -> None:
        if request := self._requests.get(params["requestId"]):
            request.raw_headers.append(_lower(params["headers"]))

    def _on_finished(self, params: Mapping[str, Any]) -> None:
        if request := self._requests.get(params["requestId"]):
            request.finished = True

    def _on_failed(self, params: Mapping[str, Any]) -> None:
        if request := self._requests.get(params["requestId"]):
            request.failure = params.get("errorText") or "failed"

    _HANDLERS = {  # noqa: RUF012 - a constant
        "Network.requestWillBeSent": _on_request,
        "Network.responseReceived": _on_response,
        "Network.responseReceivedExtraInfo": _on_raw_headers,
        "Network.loadingFinished": _on_finished,
        "Network.loadingFailed": _on_failed,
    }


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def complete_headers(request: NetworkRequest) -> tuple[Mapping[str, str], list[Redirect]]:
    """Return an answer's headers and the hops before it, with the headers as they came over the wire where known."""
    raw = request.raw_headers
    if len(raw) != len(request.redirects) + 1:
        return request.headers, request.redirects
    hops = [Redirect(hop.url, hop.status_code, raw[i]) for i, hop in enumerate(request.redirects)]
    return raw[-1], hops
