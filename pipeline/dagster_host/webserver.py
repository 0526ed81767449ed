"""Dagster's webserver, which serves only the gateway and the API, and tags backfills with the user who launches them.

It listens on an internal port, but that alone is not safe. Any program on the machine can connect to a loopback port,
and so can any page in a browser there, because Dagster accepts plain form posts and GET queries from any origin.
Therefore every request needs the key. The command has the same options as `dagster-webserver`.
"""

import asyncio
import hmac
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from sqlalchemy import Pool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.dagster_host import idle_connections
from pipeline.dagster_host.dagster_settings import WebserverSettings
from pipeline.dagster_host.internals import set_viewer_tags
from warehouse.config.reloadable import MIN_RELOAD_SECONDS, ReloadableSettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start
from warehouse.contract import KEY_HEADER, REQUESTED_BY_TAG, USER_HEADER

if TYPE_CHECKING:
    from pipeline.dagster_host.internals import WorkspaceRequestContext


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


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's webserver with the guard as its outermost middleware."""

    current: ClassVar[ReloadableSettings[WebserverSettings]]

    def build_middleware(self) -> list[Middleware]:
        """Return the guard and Dagster's middleware, in this order."""
        return [Middleware(WebserverGuard, current=self.current), *super().build_middleware()]


def viewer_tags(context: "WorkspaceRequestContext") -> dict[str, str]:
    """Return the tags for a backfill. They name the user who launches it.

    The run coordinator tags all other runs.
    """
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
    # No option of the command sets the webserver's class or the viewer tags, but Dagster lets other code override both.
    setattr(app, "DagsterWebserver", GuardedWebserver)  # noqa: B010 - the module does not export this name
    set_viewer_tags(viewer_tags)
    idle_connections.watch(Pool)  # otherwise the first request after a restart of PostgreSQL fails
    cli.cli(auto_envvar_prefix="DAGSTER_WEBSERVER")


if __name__ == "__main__":
    main()
