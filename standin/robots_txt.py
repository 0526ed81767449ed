"""/robots.txt, the same at both origins."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from standin.switches import Switches


async def robots(request: Request) -> Response:
    """What the switches say at the moment."""
    switches: Switches = request.app.state.switches
    return PlainTextResponse(switches.robots, switches.robots_status)
