"""What the page's network did, told by Chrome's performance log (DevTools protocol events)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_DATA_TYPES = ("XHR", "Fetch")


@dataclass
class Request:
    """One request of the page, as far as it has come."""

    url: str
    type: str
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mime_type: str = ""
    finished: bool = False
    failure: str | None = None

    @property
    def pending(self) -> bool:
        """Whether an answer is still on its way."""
        return not self.finished and self.failure is None


class Network:
    """The requests of one visit, kept up to date by `feed`."""

    def __init__(self, frame_id: str) -> None:
        self._frame_id = frame_id
        self._requests: dict[str, Request] = {}
        self._document_id: str | None = None

    def feed(self, log: Iterable[Mapping[str, Any]]) -> bool:
        """Take in entries of the performance log; tell whether one of them was about a request."""
        moved = False
        for entry in log:
            message = json.loads(entry["message"])["message"]
            handler = self._HANDLERS.get(message["method"])
            if handler is not None:
                handler(self, message["params"])
                moved = True
        return moved

    @property
    def document(self) -> Request | None:
        """The main document's request: of the main frame, the last after redirects."""
        return self._requests.get(self._document_id) if self._document_id else None

    def data_requests(self) -> list[tuple[str, Request]]:
        """The requests that scripts made for data, with their ids, in the order they were made."""
        return [(i, request) for i, request in self._requests.items() if request.type in _DATA_TYPES]

    @property
    def is_busy(self) -> bool:
        """Whether the document, a script or data is still on its way."""
        return any(
            request.pending
            for request in self._requests.values()
            if request.type in (*_DATA_TYPES, "Document", "Script")
        )

    def _on_request(self, params: Mapping[str, Any]) -> None:
        request_id = params["requestId"]
        self._requests[request_id] = Request(url=params["request"]["url"], type=params.get("type", ""))
        is_navigation = params.get("type") == "Document" and request_id == params.get("loaderId")
        if is_navigation and params.get("frameId") == self._frame_id:
            self._document_id = request_id

    def _on_response(self, params: Mapping[str, Any]) -> None:
        request = self._requests.setdefault(
            params["requestId"], Request(url=params["response"]["url"], type=params.get("type", ""))
        )
        response = params["response"]
        request.url, request.status_code = response["url"], response["status"]
        request.headers = {name.lower(): value for name, value in response["headers"].items()}
        request.mime_type = response.get("mimeType", "")

    def _on_finished(self, params: Mapping[str, Any]) -> None:
        if request := self._requests.get(params["requestId"]):
            request.finished = True

    def _on_failed(self, params: Mapping[str, Any]) -> None:
        if request := self._requests.get(params["requestId"]):
            request.failure = params.get("errorText") or "failed"

    _HANDLERS = {  # noqa: RUF012 - a constant
        "Network.requestWillBeSent": _on_request,
        "Network.responseReceived": _on_response,
        "Network.loadingFinished": _on_finished,
        "Network.loadingFailed": _on_failed,
    }
