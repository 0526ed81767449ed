"""The API origin: companies, financial statements and the list, with every way of failing."""

import asyncio
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.site.answers import SLOW_SECONDS, Answer, Delivery, company_answer, fin_data_answer
from tests.site.companies import companies_page
from tests.site.request_log import LogRequests, Origin, RequestLog

CORS = {"Access-Control-Allow-Origin": "*"}
LARGEST_PAGE = 1000
POLL_SECONDS = 0.1


class NoAnswer(Response):
    """Ends a connection without a word: at once, or when the client or the server gives up."""

    def __init__(self, *, server: uvicorn.Server, at_once: bool) -> None:
        super().__init__()
        self.server = server
        self.at_once = at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing, then close the connection that the request came by."""
        gone = asyncio.create_task(_disconnected(receive))
        while not (self.at_once or self.server.should_exit or gone.done()):
            await asyncio.wait({gone}, timeout=POLL_SECONDS)
        self._abort(scope["client"])
        await gone

    def _abort(self, client: tuple[str, int]) -> None:
        # ASGI has no message for this: without the abort uvicorn would answer 500 in our place.
        for connection in list(self.server.server_state.connections):
            transport = connection.transport
            if transport is not None and transport.get_extra_info("peername") == client:
                transport.abort()


def api_app(log: RequestLog) -> Starlette:
    """The API as an ASGI app; `app.state.server` must be set before it serves."""
    return Starlette(
        routes=[
            Route("/api/companies", _list),
            Route("/api/companies/{idno}", _company),
            Route("/api/fin-data-v1/{idno}", _fin_data),
        ],
        middleware=[Middleware(LogRequests, log=log, origin=Origin.API)],
        exception_handlers={404: _unknown_path},
    )


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _company(request: Request) -> Response:
    return await _deliver(request, company_answer(request.path_params["idno"]))


async def _fin_data(request: Request) -> Response:
    return await _deliver(request, fin_data_answer(request.path_params["idno"]))


async def _list(request: Request) -> Response:
    page, size = request.query_params.get("page", "0"), request.query_params.get("size", "20")
    if not (page.isdecimal() and size.isdecimal() and 1 <= int(size) <= LARGEST_PAGE):
        message = f"page={page!r} counts from 0, size={size!r} is 1 to {LARGEST_PAGE}"
        return JSONResponse({"message": message}, status_code=400, headers=CORS)
    return JSONResponse(companies_page(page=int(page), size=int(size)), headers=CORS)


async def _unknown_path(request: Request, _: Exception) -> Response:
    return JSONResponse({"message": f"Cannot GET {request.url.path}"}, status_code=404, headers=CORS)


async def _deliver(request: Request, answer: Answer) -> Response:
    if answer.delivery in (Delivery.NEVER, Delivery.DROPPED):
        server = cast(uvicorn.Server, request.app.state.server)
        return NoAnswer(server=server, at_once=answer.delivery is Delivery.DROPPED)
    if answer.delivery is Delivery.LATE:
        await asyncio.sleep(SLOW_SECONDS)
    return Response(answer.text, answer.status, headers=CORS, media_type="application/json")
