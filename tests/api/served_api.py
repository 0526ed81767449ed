"""The API served over HTTP by a thread of the test process: real stores, a fake Dagster, no other process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar
from uuid import uuid4

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, update
from sqlalchemy.pool import NullPool

from api.auth.roles import Role
from api.services import open_services
from api.settings import ApiSettings
from api.users_tables import users
from stack.ports import LOOPBACK
from tests.api.api_harness import ApiHarness, changed_settings, open_harness
from tests.local_http import local_client
from tests.platform_user import Accounts, client_with_key
from tests.warehouse_server import Databases
from warehouse.schema import database_roles

_Entered = TypeVar("_Entered")
_MANY = "60000/minute"
"""All requests of the tests come from one address."""


@dataclass
class ServedApi(Accounts):
    """A served API: access over HTTP and to its stores."""

    harness: ApiHarness
    portal: BlockingPortal
    """Calls asynchronous functions in the event loop of the API."""
    url: str

    @property
    def settings(self) -> ApiSettings:
        """The settings of the API."""
        return self.harness.services.settings

    @property
    def signing_key(self) -> str:
        """The key that signs access tokens."""
        return self.settings.jwt_secret.get_secret_value()

    @cached_property
    def anonymous(self) -> httpx.Client:
        """An HTTP client without credentials."""
        return local_client(self.url)

    @cached_property
    def admin(self) -> httpx.Client:
        """An HTTP client with the API key of the admin `boss`."""
        account = {"username": "boss", "password": uuid4().hex}
        with local_client(self.url) as http:
            assert http.post("/auth/register/", json=account).is_success
        with self.engine(database_roles.API).begin() as connection:
            connection.execute(update(users).where(users.c.username == "boss").values(role=Role.ADMIN))
        return client_with_key(self.url, **account, scopes=["users", "audit:read", "dagster", "scrape"])

    def audit(self, event: str) -> list[dict[str, Any]]:
        """Return the newest audit log entries of one event."""
        entries: list[dict[str, Any]] = self.admin.get("/admin/audit/", params={"event": event}).json()[
            "entries"
        ]
        return entries

    def engine(self, role: str, database: str = database_roles.USERS_DATABASE) -> Engine:
        """Return an engine that connects to a database, by default the API's own one, as a role."""
        return create_engine(self.harness.databases.url(role, database), poolclass=NullPool)

    @contextmanager
    def another_api(self, **settings: Any) -> Iterator[httpx.Client]:
        """Serve a second API on the same stores, with changed settings; yield a client of it.

        Requests can set their address in X-Forwarded-For, as behind the gateway.
        """
        with (
            self.portal.wrap_async_context_manager(self._another(settings)) as url,
            local_client(url) as http,
        ):
            yield http

    @asynccontextmanager
    async def _another(self, changed: dict[str, Any]) -> AsyncIterator[str]:
        settings = changed_settings(self.settings, **changed)
        async with open_services(settings) as services:
            other = replace(self.harness, services=replace(services, dagster=self.harness.dagster))
            async with serve(other.application()) as url:
                yield url

    def close(self) -> None:
        """Close the clients that were used."""
        for name in ("anonymous", "admin"):
            if client := self.__dict__.get(name):
                client.close()


@asynccontextmanager
async def serve(app: FastAPI, *, lifespan: Literal["on", "off"] = "off") -> AsyncIterator[str]:
    """Serve an application on a free port until the block ends; yield its URL."""
    listener = socket.create_server((LOOPBACK, 0))
    config = uvicorn.Config(
        app, lifespan=lifespan, log_config=None, access_log=False, server_header=False, http="httptools"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started:
            assert not task.done(), "the API has not started"
            await asyncio.sleep(0.005)
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextmanager
def serving_api(databases: Databases, redis_url: str) -> Iterator[ServedApi]:
    """Serve the API on empty stores until the block ends."""
    limits = dict.fromkeys(("limit_registrations", "limit_address", "limit_guesses_address"), _MANY)
    with start_blocking_portal() as portal, ExitStack() as stack:

        def enter(context: AbstractAsyncContextManager[_Entered]) -> _Entered:
            return stack.enter_context(portal.wrap_async_context_manager(context))

        harness = enter(open_harness(databases, redis_url, **limits))
        enter(harness.services.wakeups.listening())
        served = ServedApi(harness, portal, enter(serve(harness.application())))
        stack.callback(served.close)
        yield served
