"""Header fields that every answer carries."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.rate_limits import LimitState

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENDPOINTS_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are no pages: whatever is in them, no browser runs it. (/docs is a page with scripts.)"""


class Headers:
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
                headers = MutableHeaders(scope=message)
                limit = state.get("limit")
                for name, value in {
                    **SECURITY_HEADERS,
                    **(limit.headers if isinstance(limit, LimitState) else {}),
                }.items():
                    headers.setdefault(name, value)
                if "text/html" not in headers.get("content-type", ""):
                    headers.setdefault("Content-Security-Policy", _ENDPOINTS_POLICY)
            await send(message)

        return await self._app(scope, receive, with_headers)
