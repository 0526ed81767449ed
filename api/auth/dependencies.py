"""The gate before every route: how often, who, whether they may. Each endpoint says what it needs (`needs`)."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette.requests import Request

from api.audit.events import Event, record_once_a_minute
from api.auth import callers
from api.auth.callers import Caller
from api.auth.cookies import own_cookie
from api.auth.roles import DESCRIPTIONS, Scope
from api.clients import Client, ClientDep
from api.errors import Forbidden, NotSignedIn
from api.keys.secrets import MARK
from api.keys.service import note_use
from api.rate_limits import LimitState
from api.services import Services, ServicesDep
from api.settings import limits_of

PUBLIC = "public"
"""Anyone may."""
UNCOUNTED = "uncounted"
"""Anyone may, without a limit: what has to answer when Redis does not."""
SIGNED_IN = "signed in"
"""Any role, and any API key, may."""

Need = Scope | str
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])

_bearer = OAuth2PasswordBearer(
    tokenUrl="auth/token",
    refreshUrl="auth/refresh/",
    scopes={str(scope): text for scope, text in DESCRIPTIONS.items()},
    auto_error=False,
    description="An access token from sign-in (or an API key, which is taken here too)",
)
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, for machines")


def needs(need: Need, *, or_cookie: bool = False) -> Callable[[_Endpoint], _Endpoint]:
    """Say what an endpoint needs: a scope, SIGNED_IN or PUBLIC. Routes without it cannot be added.

    The browser's cookie counts only where `or_cookie` is set: browsers send it unasked.
    """

    def mark(endpoint: _Endpoint) -> _Endpoint:
        endpoint.needs, endpoint.takes_cookie = need, or_cookie  # type: ignore[attr-defined]
        return endpoint

    return mark


def gate(need: Need, *, takes_cookie: bool) -> Any:
    """Return the dependency that lets nobody pass to an endpoint who may not."""
    if need == PUBLIC:
        return Depends(_count_address)

    async def admit(
        request: Request,
        services: ServicesDep,
        client: ClientDep,
        token: Annotated[str | None, Depends(_bearer)],
        api_key: Annotated[str | None, Depends(_api_key)],
    ) -> None:
        cookie = own_cookie(request) if takes_cookie else None
        caller = await _admit(request, services, client, token=token, api_key=api_key, cookie=cookie)
        if isinstance(need, Scope):
            await demand(request, services, client, caller, need)

    return Security(admit, scopes=[need] if isinstance(need, Scope) else [])


async def _admit(
    request: Request,
    services: Services,
    client: Client,
    *,
    token: str | None,
    api_key: str | None,
    cookie: str | None,
) -> Caller:
    """Return who is calling. Raises NotSignedIn, TooManyRequests."""
    # First: who comes too often is not looked at.
    await _count_address(request, services, client)
    caller = await _identify(services, client, token=token, api_key=api_key, cookie=cookie)
    request.state.limit = await _count_caller(services, caller)
    request.state.caller = caller
    if caller.key_id is not None:
        await note_use(services, client, caller.key_id, owner=caller.person)
    return caller


async def demand(request: Request, services: Services, client: Client, caller: Caller, scope: Scope) -> None:
    """Raise Forbidden, and write it down, if a caller does not have a scope."""
    if scope in caller.scopes:
        return
    await record_once_a_minute(
        services,
        Event.ACCESS_REFUSED,
        client,
        about=f"{caller.user_id} {caller.key_id} {scope}",
        actor=caller.person,
        detail=f"{request.method} {request.url.path[:200]} needs {scope}",
    )
    whose = "this API key" if caller.key_id is not None else f"the role {caller.role}"
    raise Forbidden(
        f"{whose} does not have the scope {scope}, which is needed here",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


async def _count_address(request: Request, services: ServicesDep, client: ClientDep) -> None:
    limits = limits_of(services.settings.limit_address)
    request.state.limit = await services.limits.count(
        limits, client.network, what="requests from this address"
    )


async def _count_caller(services: Services, caller: Caller) -> LimitState:
    limits = limits_of(services.settings.limit_caller)
    if caller.key_id is not None:
        return await services.limits.count(limits, f"key {caller.key_id}", what="requests by this API key")
    return await services.limits.count(limits, f"user {caller.user_id}", what="requests of this user")


async def _identify(
    services: Services, client: Client, *, token: str | None, api_key: str | None, cookie: str | None
) -> Caller:
    if token is not None and token.startswith(MARK):
        token, api_key = None, api_key or token
    try:
        if token is not None:
            return await callers.by_token(services, token)
        if api_key is not None:
            return await callers.by_api_key(services, api_key)
        if cookie is not None:
            return await callers.by_cookie(services, cookie)
    except NotSignedIn as refusal:
        await record_once_a_minute(
            services, Event.CREDENTIALS_REFUSED, client, about=refusal.detail, detail=refusal.detail
        )
        raise
    raise NotSignedIn("sign in first: Authorization: Bearer <access token>, or X-API-Key: <API key>")


def _caller(request: Request) -> Caller:
    caller = request.state.caller  # put there by the gate, which comes first
    assert isinstance(caller, Caller)
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]
