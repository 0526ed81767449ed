"""Dagster's webserver, which serves nobody but the gateway and the API, and tells backfills who launched them.

It listens inside, but inside is not safe by itself: any program on the machine reaches a loopback port, and so
does any page in a browser there (Dagster takes plain form posts and GET queries from anywhere). So every request
has to show the key. Started like `dagster-webserver`, with the same options.
"""

import hmac
import os
import sys
from typing import Any

from dagster._core.workspace.context import WorkspaceRequestContext
from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from sqlalchemy import Pool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline import idle_connections
from warehouse.contract import KEY_HEADER, REQUESTED_BY_TAG, USER_HEADER
from warehouse.secrecy import check_secret

KEY_SETTING = "REGISTRU_DAGSTER_KEY"


class InnerDoor:
    """Answers 403 to whoever does not show the key, over HTTP and WebSocket alike."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._key = app, key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        shown = Headers(scope=scope).get(KEY_HEADER, "")
        if hmac.compare_digest(shown.encode(errors="replace"), self._key):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            # Before it is accepted: the server answers the handshake with 403.
            return await send({"type": "websocket.close", "code": 1008})
        refusal = PlainTextResponse("Dagster is reached through the gateway, signed in", 403)
        return await refusal(scope, receive, send)


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's own webserver, through its own hook for middleware."""

    def build_middleware(self) -> list[Middleware]:
        """Return Dagster's middleware, behind the door."""
        return [Middleware(InnerDoor, key=os.environ[KEY_SETTING]), *super().build_middleware()]


def viewer_tags(context: WorkspaceRequestContext) -> dict[str, str]:
    """Return what Dagster puts on the backfills of who is asking (for runs see pipeline/run_coordinator.py)."""
    headers = getattr(context.source, "headers", None)
    user = headers.get(USER_HEADER) if headers else None
    return {REQUESTED_BY_TAG: user} if user else {}


def main() -> None:
    """Run the webserver."""
    try:
        check_secret(KEY_SETTING, os.environ.get(KEY_SETTING, ""))
    except ValueError as error:
        sys.exit(str(error))
    # The command has no option for either; both are methods that Dagster calls in order to be overridden.
    setattr(app, "DagsterWebserver", GuardedWebserver)  # noqa: B010 - not exported by that name
    setattr(WorkspaceRequestContext, "get_viewer_tags", viewer_tags)  # noqa: B010
    idle_connections.watch(Pool)  # else the first request after PostgreSQL was restarted fails
    cli.cli(auto_envvar_prefix="DAGSTER_WEBSERVER")


if __name__ == "__main__":
    main()
