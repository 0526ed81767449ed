"""The guard of Dagster's webserver: middleware that checks the key of each request. It imports nothing of Dagster."""

import asyncio
import hmac

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.dagster_host.dagster_settings import WebserverSettings
from warehouse.config.reloadable import MIN_RELOAD_SECONDS, ReloadableSettings
from warehouse.contract import KEY_HEADER


class WebserverGuard:
    """Middleware that answers 403 to HTTP and WebSocket requests without a valid key."""

    def __init__(self, app: ASGIApp, current: ReloadableSettings[WebserverSettings]) -> None:
        self._app, self._current = app, current

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request if it has a valid key."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        key = Headers(scope=scope).get(KEY_HEADER, "")
        if await self._accepts(key):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            # The WebSocket is closed before it is accepted, so the server answers its handshake with 403.
            return await send({"type": "websocket.close", "code": 1008})
        refusal = PlainTextResponse("Dagster is available only through the gateway, to signed-in users", 403)
        return await refusal(scope, receive, send)

    async def _accepts(self, key: str) -> bool:
        """Tell whether a key is valid.

        If the key is unknown, reload the settings and check it again, because it may be a new key.
        """
        if self._current.is_reload_due:
            await asyncio.to_thread(self._current.reload_if_due)
        if self._is_known(key):
            return True
        if not key or self._current.age_seconds < MIN_RELOAD_SECONDS:
            return False
        await asyncio.to_thread(self._current.reload_after_refusal)
        return self._is_known(key)

    def _is_known(self, key: str) -> bool:
        given = key.encode(errors="replace")
        accepted = self._current.settings.accepted_keys()
        return any(hmac.compare_digest(given, known.encode()) for known in accepted)
