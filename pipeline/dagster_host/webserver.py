"""Dagster's webserver, which serves only the gateway and the API, and tags backfills with the user who launches them.

It listens on an internal port, but that alone is not safe. Any program on the machine can connect to a loopback port,
and so can any page in a browser there, because Dagster accepts plain form posts and GET queries from any origin.
Therefore every request needs the key. The command has the same options as `dagster-webserver`.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from sqlalchemy import Pool
from starlette.middleware import Middleware

from pipeline.dagster_host import idle_connections
from pipeline.dagster_host.dagster_settings import WebserverSettings
from pipeline.dagster_host.internals import set_viewer_tags
from pipeline.dagster_host.webserver_guard import WebserverGuard
from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start
from warehouse.contract import REQUESTED_BY_TAG, USER_HEADER

if TYPE_CHECKING:
    from pipeline.dagster_host.internals import WorkspaceRequestContext


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
