"""The endpoint that verifies a caller for the gateway and other services."""

from typing import Annotated

from fastapi import Query, Response
from starlette.requests import Request

from api.auth.dependencies import SIGNED_IN, CallerDep, needs, require_scope
from api.auth.roles import Scope
from api.auth.schemas import Verified
from api.routing import Router
from api.runtime.client_address import ClientDep
from api.services import ServicesDep
from warehouse.contract import ROLE_HEADER, SCOPES_HEADER, USER_HEADER

router = Router(prefix="/auth", tags=["auth"])


@router.get("/verify", summary="Verify a caller")
@needs(SIGNED_IN, or_cookie=True)
async def verify(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    client: ClientDep,
    response: Response,
    scope: Annotated[Scope | None, Query(description="Scope that the caller must have")] = None,
) -> Verified:
    """Return the caller of an access token, an API key or the browser's cookie.

    The answer is 401 without a valid credential and 403 if the caller lacks `scope`. The response headers
    X-Registru-User, X-Registru-Role and X-Registru-Scopes contain the username, the role and the scopes.
    """
    if scope is not None:
        await require_scope(request, services, client, caller, scope)
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
