"""The requests of a page, reconstructed from Chrome's performance log (events of the DevTools protocol)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_DATA_TYPES = ("XHR", "Fetch")
_ABORTED = "net::ERR_ABORTED"
"""The error of a request that the page itself aborted."""


@dataclass(frozen=True)
class Redirect:
    """A redirect that a request followed."""

    url: str
    status_code: int
    headers: Mapping[str, str]


@dataclass
class NetworkRequest:
    """One request of the page and what is known of its answer so far; `sent_at` is in seconds since 1970."""

    url: str
    type: str
    sent_at: float | None = None
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mime_type: str = ""
    timing: Mapping[str, float] = field(default_factory=dict)
    redirects: list[Redirect] = field(default_factory=list)
    raw_headers: list[Mapping[str, str]] = field(default_factory=list)
    """Headers as received, cookies included: one set for each redirect, then that of the last answer."""
    finished: bool = False
    failure: str | None = None

    @property
    def pending(self) -> bool:
        """Whether the request has neither been answered completely nor failed."""
        return not self.finished and self.failure is None


class NetworkLog:
    """The requests of one visit, updated by `feed`."""

    def __init__(self, frame_id: str) -> None:
        self._frame_id = frame_id
        self._requests: dict[str, NetworkRequest] = {}
        self._document_id: str | None = None

    def feed(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        """Update the requests from events of the page. Return whether any event concerned a request."""
        has_changed = False
        for message in messages:
            handler = self._HANDLERS.get(message["method"])
            if handler is not None:
                handler(self, message["params"])
                has_changed = True
        return has_changed

    @property
    def document_id(self) -> str | None:
        """The request id of the main document, None before it is requested."""
        return self._document_id

    @property
    def document(self) -> NetworkRequest | None:
        """The request of the main document (that of the main frame, after redirects), None before it is requested."""
        return self._requests.get(self._document_id) if self._document_id else None

    def urls(self) -> list[str]:
        """Return the URLs of all requests."""
        return [request.url for request in self._requests.values()]

    def data_requests(self) -> list[tuple[str, NetworkRequest]]:
        """Return the requests that scripts made for data (XHR, fetch), with their ids, in the order of sending."""
        return [
            (request_id, request)
            for request_id, request in self._requests.items()
            if request.type in _DATA_TYPES
        ]

    def awaits_data_about(self, idno: str) -> bool:
        """Return whether an unanswered data request may still bring data on the company `idno`.

        If URLs of data requests contain the IDNO, only requests to the hosts in these URLs count: other hosts
        (statistics, advertisements) may never answer.
        """
        data = [request for _, request in self.data_requests()]
        hosts = {urlsplit(request.url).netloc for request in data if idno in request.url}
        return any(
            request.pending and (not hosts or urlsplit(request.url).netloc in hosts) for request in data
        )

    @property
    def awaits_style_sheets(self) -> bool:
        """Whether a style sheet is still loading, so that the page does not look yet as it will."""
        return any(request.type == "Stylesheet" and request.pending for request in self._requests.values())

    def data_request_for(self, idno: str) -> NetworkRequest | None:
        """Return the page's own data request for a company, None if there is none.

        Its URL contains the IDNO. URLs that end with `companies/{idno}` are preferred. If the page requested the same
        URL several times, the last request is returned.
        """
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
            self._requests.clear()  # the requests of the previous page say nothing about this one
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

    _HANDLERS = {  # noqa: RUF012 - nothing changes this dict
        "Network.requestWillBeSent": _on_request,
        "Network.responseReceived": _on_response,
        "Network.responseReceivedExtraInfo": _on_raw_headers,
        "Network.loadingFinished": _on_finished,
        "Network.loadingFailed": _on_failed,
    }


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def complete_headers(request: NetworkRequest) -> tuple[Mapping[str, str], list[Redirect]]:
    """Return the headers of the final answer, and the redirects. Headers are raw if the log has all raw headers."""
    raw = request.raw_headers
    if len(raw) != len(request.redirects) + 1:
        return request.headers, request.redirects
    hops = [Redirect(hop.url, hop.status_code, raw[i]) for i, hop in enumerate(request.redirects)]
    return raw[-1], hops
