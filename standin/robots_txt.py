"""The endpoint /robots.txt of both origins."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from standin.switches import Switches


async def robots(request: Request) -> Response:
    """Return the robots.txt that is set in the site's switches."""
    switches: Switches = request.app.state.switches
    return PlainTextResponse(switches.robots, switches.robots_status)
