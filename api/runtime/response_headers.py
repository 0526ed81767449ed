"""Middleware that adds the headers that every response has."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.runtime.rate_limits import LimitState

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENDPOINT_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of responses that are not pages: browsers load and run nothing from them."""


def _encoded(fields: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in fields.items()]


_PAGE_HEADERS = _encoded(SECURITY_HEADERS)
_ENDPOINT_HEADERS = _encoded({**SECURITY_HEADERS, "Content-Security-Policy": _ENDPOINT_POLICY})


class ResponseHeaders:
    """Adds the security headers and the caller's rate limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                present = dict(headers)
                limit = state.get("limit")
                added = (
                    _PAGE_HEADERS if b"text/html" in present.get(b"content-type", b"") else _ENDPOINT_HEADERS
                )
                if isinstance(limit, LimitState):
                    added = [*added, *_encoded(limit.headers)]
                message["headers"] = [*headers, *(field for field in added if field[0] not in present)]
            await send(message)

        return await self._app(scope, receive, send_with_headers)
