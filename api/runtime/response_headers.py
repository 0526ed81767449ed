"""Header fields that every answer carries."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.runtime.rate_limits import LimitState

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENDPOINTS_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are no pages: whatever is in them, no browser runs it. Pages say theirs."""


def _encoded(fields: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in fields.items()]


_OF_PAGES = _encoded(SECURITY_HEADERS)
_OF_ENDPOINTS = _encoded({**SECURITY_HEADERS, "Content-Security-Policy": _ENDPOINTS_POLICY})


class ResponseHeaders:
    """Adds the security headers, and where the caller stands with their limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        state = scope.setdefault("state", {})

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                said = dict(headers)
                limit = state.get("limit")
                added = _OF_PAGES if b"text/html" in said.get(b"content-type", b"") else _OF_ENDPOINTS
                if isinstance(limit, LimitState):
                    added = [*added, *_encoded(limit.headers)]
                message["headers"] = [*headers, *(each for each in added if each[0] not in said)]
            await send(message)

        return await self._app(scope, receive, with_headers)
