"""The origin of the API: companies, financial statements, the list of companies, and the failures of all three."""

import asyncio
from typing import Protocol, cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from standin.answers import SLOW_SECONDS, Answer, Delivery, company_answer, fin_data_answer
from standin.made_up_companies import companies_page
from standin.options import SiteOptions
from standin.request_log import LogRequests, RequestLog, SiteOrigin
from standin.robots_txt import robots
from standin.switches import ListBehavior, Switches

CORS = {"Access-Control-Allow-Origin": "*"}
POLL_SECONDS = 0.1


class NoAnswer(Response):
    """Closes a connection without a response, `immediately` or when the client disconnects or the server stops."""

    def __init__(self, *, server: uvicorn.Server, immediately: bool) -> None:
        super().__init__()
        self.server = server
        self.immediately = immediately

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing, then close the request's connection."""
        gone = asyncio.create_task(_disconnected(receive))
        while not (self.immediately or self.server.should_exit or gone.done()):
            await asyncio.wait({gone}, timeout=POLL_SECONDS)
        self._abort(scope["client"])
        await gone

    def _abort(self, client: tuple[str, int]) -> None:
        # ASGI has no message to close a connection. Without the abort, uvicorn would answer with status 500.
        for connection in list(self.server.server_state.connections):
            transport = connection.transport
            if transport is not None and transport.get_extra_info("peername") == client:
                transport.abort()


def api_app(*, log: RequestLog, options: SiteOptions, switches: Switches) -> Starlette:
    """Return the API as an ASGI app. The caller must set `app.state.server` before it serves the app."""
    app = Starlette(
        routes=[
            Route("/robots.txt", robots),
            Route("/api/companies", _list),
            Route("/api/companies/{idno}", _company),
            Route("/api/fin-data-v1/{idno}", _fin_data),
        ],
        middleware=[Middleware(LogRequests, log=log, origin=SiteOrigin.API)],
        exception_handlers={404: _unknown_path},
    )
    app.state.log, app.state.options, app.state.switches = log, options, switches
    return app


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _company(request: Request) -> Response:
    return await _deliver(request, company_answer)


async def _fin_data(request: Request) -> Response:
    return await _deliver(request, fin_data_answer)


async def _list(request: Request) -> Response:
    await _delay(request)
    switches: Switches = request.app.state.switches
    page, size = request.query_params.get("page", "0"), request.query_params.get("size", "20")
    match switches.list:
        case ListBehavior.LIMITED:
            headers = {**CORS, "Retry-After": "600"}
            return JSONResponse({"message": "Too Many Requests"}, status_code=429, headers=headers)
        case ListBehavior.OTHER_SHAPE:
            return JSONResponse({"items": [], "count": 0}, headers=CORS)
        case ListBehavior.HTML:
            return HTMLResponse("<!doctype html><app-root></app-root>", headers=CORS)
        case ListBehavior.CAPPED if size.isdecimal():
            size = str(min(int(size), switches.largest_page))
    if not (page.isdecimal() and size.isdecimal() and 1 <= int(size) <= switches.largest_page):
        message = f"page={page!r} counts from 0, size={size!r} is 1 to {switches.largest_page}"
        return JSONResponse({"message": message}, status_code=400, headers=CORS)
    while switches.list_blocked_from is not None and int(page) >= switches.list_blocked_from:  # noqa: ASYNC110 - another thread changes it
        await asyncio.sleep(POLL_SECONDS)
    return JSONResponse(companies_page(page=int(page), size=int(size)), headers=CORS)


async def _unknown_path(request: Request, _: Exception) -> Response:
    return JSONResponse({"message": f"Cannot GET {request.url.path}"}, status_code=404, headers=CORS)


async def _delay(request: Request) -> None:
    options: SiteOptions = request.app.state.options
    await asyncio.sleep(options.latency_ms / 1000)


class _Answerer(Protocol):
    def __call__(self, idno: str, *, visit: int, faults: bool) -> Answer: ...


async def _deliver(request: Request, answerer: _Answerer) -> Response:
    log: RequestLog = request.app.state.log
    options: SiteOptions = request.app.state.options
    idno = request.path_params["idno"]
    # A visit is counted when its page is requested. A client that requests only the API gets the answers of visit 1.
    answer = answerer(idno, visit=max(1, log.total_visits(idno)), faults=options.faults)
    await _delay(request)
    switches: Switches = request.app.state.switches
    while idno in switches.blocked_idnos:  # noqa: ASYNC110 - another thread changes it
        await asyncio.sleep(POLL_SECONDS)
    if answer.delivery in (Delivery.NEVER, Delivery.DROPPED):
        server = cast(uvicorn.Server, request.app.state.server)
        return NoAnswer(server=server, immediately=answer.delivery is Delivery.DROPPED)
    if answer.delivery is Delivery.LATE:
        await asyncio.sleep(SLOW_SECONDS)
    return Response(answer.text, answer.status, headers=CORS, media_type="application/json")
