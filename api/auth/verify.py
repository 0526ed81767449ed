"""Who is calling, for the gateway and for other services."""

from typing import Annotated

from fastapi import Query, Response
from starlette.requests import Request

from api.auth.dependencies import SIGNED_IN, CallerDep, demand, needs
from api.auth.roles import Scope
from api.auth.schemas import Verified
from api.routing import Router
from api.runtime.client_address import ClientDep
from api.services import ServicesDep
from warehouse.contract import ROLE_HEADER, SCOPES_HEADER, USER_HEADER

router = Router(prefix="/auth", tags=["auth"])


@router.get("/verify")
@needs(SIGNED_IN, or_cookie=True)
async def verify(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    client: ClientDep,
    response: Response,
    scope: Annotated[Scope | None, Query(description="What they have to be allowed to do")] = None,
) -> Verified:
    """Who is calling, by access token, API key or the browser's cookie; 401 if nobody, 403 without `scope`.

    The header fields X-Registru-User, -Role and -Scopes say it too.
    """
    if scope is not None:
        await demand(request, services, client, caller, scope)
    response.headers[USER_HEADER] = caller.username
    response.headers[ROLE_HEADER] = caller.role
    response.headers[SCOPES_HEADER] = " ".join(sorted(caller.scopes))
    response.headers["Cache-Control"] = "no-store"
    return Verified(
        user_id=caller.user_id,
        username=caller.username,
        role=caller.role,
        scopes=sorted(caller.scopes),
        session_id=caller.session_id,
        key_id=caller.key_id,
    )
