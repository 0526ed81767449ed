"""Dagster's webserver, which serves nobody but the gateway and the API, and tells backfills who launched them.

It listens inside, but inside is not safe by itself: any program on the machine reaches a loopback port, and so
does any page in a browser there (Dagster takes plain form posts and GET queries from anywhere). So every request
has to show the key. Started like `dagster-webserver`, with the same options.
"""

import asyncio
import hmac
from functools import partial
from typing import Any, ClassVar

from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from sqlalchemy import Pool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.dagster_host import idle_connections
from pipeline.dagster_host.dagster_settings import WebserverSettings
from pipeline.dagster_host.internals import WorkspaceRequestContext
from warehouse.config.reloadable import SOON_SECONDS, ReloadableSettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start
from warehouse.contract import KEY_HEADER, REQUESTED_BY_TAG, USER_HEADER


class WebserverGuard:
    """Answers 403 to whoever does not show the key, over HTTP and WebSocket alike."""

    def __init__(self, app: ASGIApp, current: ReloadableSettings[WebserverSettings]) -> None:
        self._app, self._current = app, current

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        shown = Headers(scope=scope).get(KEY_HEADER, "")
        if await self._opens(shown):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            # Before it is accepted: the server answers the handshake with 403.
            return await send({"type": "websocket.close", "code": 1008})
        refusal = PlainTextResponse("Dagster is reached through the gateway, signed in", 403)
        return await refusal(scope, receive, send)

    async def _opens(self, shown: str) -> bool:
        """Tell whether a key is one of those that count now; one that is not known may be new."""
        if self._current.is_due:
            await asyncio.to_thread(self._current.reread_if_due)
        if self._is_known(shown):
            return True
        if not shown or self._current.seconds_old < SOON_SECONDS:
            return False
        await asyncio.to_thread(self._current.reread_soon)
        return self._is_known(shown)

    def _is_known(self, shown: str) -> bool:
        given = shown.encode(errors="replace")
        return any(hmac.compare_digest(given, key.encode()) for key in self._current.settings.accepted_keys())


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's own webserver, through its own hook for middleware."""

    current: ClassVar[ReloadableSettings[WebserverSettings]]

    def build_middleware(self) -> list[Middleware]:
        """Return Dagster's middleware, behind the door."""
        return [Middleware(WebserverGuard, current=self.current), *super().build_middleware()]


def viewer_tags(context: WorkspaceRequestContext) -> dict[str, str]:
    """Return what Dagster puts on the backfills of who is asking (for runs see pipeline/dagster_host/run_coordinator.py)."""
    headers = getattr(context.source, "headers", None)
    user = headers.get(USER_HEADER) if headers else None
    return {REQUESTED_BY_TAG: user} if user else {}


def main() -> None:
    """Run the webserver."""
    try:
        GuardedWebserver.current = ReloadableSettings(
            load(WebserverSettings), partial(load, WebserverSettings)
        )
    except SettingsRefused as reason:
        refuse_to_start(reason)
    # The command has no option for either; both are methods that Dagster calls in order to be overridden.
    setattr(app, "DagsterWebserver", GuardedWebserver)  # noqa: B010 - not exported by that name
    setattr(WorkspaceRequestContext, "get_viewer_tags", viewer_tags)  # noqa: B010
    idle_connections.watch(Pool)  # else the first request after PostgreSQL was restarted fails
    cli.cli(auto_envvar_prefix="DAGSTER_WEBSERVER")


if __name__ == "__main__":
    main()
