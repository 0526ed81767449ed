"""The running stand-in site: one thread of this process serves both origins."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from standin.api_origin import api_app
from standin.options import Lang, Layout, SiteOptions
from standin.page_origin import page_app
from standin.request_log import Document, LoggedRequest, RequestLog
from standin.switches import OPEN_ROBOTS, Switches

HOST = "127.0.0.1"
START_SECONDS = 10.0
POLL_SECONDS = 0.01


@dataclass(kw_only=True)
class Site(Switches):
    """A running site: its addresses, request log and switches. Can be used from any thread."""

    url: str
    api_url: str
    log: RequestLog

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests since the log was cleared last, in order of arrival."""
        return self.log.snapshot()

    def visits(self, idno: str) -> int:
        """Return the number of requests for a company's page in the log; a visit with a redirect counts as two."""
        return self.log.visits(idno)

    def documents(self) -> list[Document]:
        """Return the requests for companies' pages, in order, each with its time."""
        return self.log.documents()

    def max_documents_in(self, window_seconds: float) -> int:
        """Return the largest number of requests for companies' pages within any period of `window_seconds`."""
        return self.log.max_documents_in(window_seconds)

    def page_url(self, idno: str) -> str:
        """Return the address of a company's page."""
        return f"{self.url}/companies/{idno}"


@contextmanager
def running_site(
    *,
    port: int = 0,
    api_port: int = 0,
    layout: Layout | None = None,
    lang: Lang | None = None,
    embedded: bool = False,
    flaky_failures: int = 1,
    retry_after_seconds: int = 1,
    faults: bool = False,
    latency_ms: int = 0,
    robots: str = OPEN_ROBOTS,
) -> Iterator[Site]:
    """Serve the site until the `with` block ends.

    A port of 0 selects a free port. `robots` is the text of robots.txt. For the other options see SiteOptions.
    """
    options = SiteOptions(
        layout=layout,
        lang=lang,
        embedded=embedded,
        flaky_failures=flaky_failures,
        retry_after_seconds=retry_after_seconds,
        faults=faults,
        latency_ms=latency_ms,
    )
    log = RequestLog()
    with (
        socket.create_server((HOST, port)) as page_socket,
        socket.create_server((HOST, api_port)) as api_socket,
    ):
        site = Site(url=_url(page_socket), api_url=_url(api_socket), log=log, robots=robots)
        build = secrets.token_hex(4)
        page = page_app(log=log, options=options, switches=site, api_url=site.api_url, build=build)
        api = api_app(log=log, options=options, switches=site)
        with _served({_server(page): page_socket, _server(api): api_socket}):
            yield site


def _url(listening: socket.socket) -> str:
    return f"http://{HOST}:{listening.getsockname()[1]}"


def _server(app: Starlette) -> uvicorn.Server:
    # At shutdown, slow responses have one second to complete. NoAnswer closes connections that never get a response.
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    app.state.server = server
    return server


@contextmanager
def _served(servers: dict[uvicorn.Server, socket.socket]) -> Iterator[None]:
    # The command line also serves from a thread, because uvicorn installs signal handlers only in the main thread.
    thread = threading.Thread(target=lambda: asyncio.run(_serve(servers)), name="stand-in site", daemon=True)
    thread.start()
    try:
        _wait_until_started(list(servers), thread)
        yield
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


async def _serve(servers: dict[uvicorn.Server, socket.socket]) -> None:
    await asyncio.gather(*(server.serve(sockets=[listening]) for server, listening in servers.items()))


def _wait_until_started(servers: list[uvicorn.Server], thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all(server.started for server in servers):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError(f"the stand-in site did not start within {START_SECONDS} s")
        time.sleep(POLL_SECONDS)
