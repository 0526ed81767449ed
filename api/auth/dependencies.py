"""The gate before every route: how often, who, whether they may. Each endpoint says what it needs (`needs`)."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette.requests import Request

from api.audit.events import Event, record_event_once_a_minute
from api.auth import callers
from api.auth.cache import account_key
from api.auth.callers import Caller, Claim, Holder
from api.auth.cookies import own_cookie
from api.auth.roles import DESCRIPTIONS, Scope
from api.auth.tokens import UnknownKey
from api.keys.key_format import API_KEY_MARK
from api.keys.service import note_use, noted_key
from api.problems import Forbidden, NotSignedIn
from api.runtime.client_address import RequestClient, client_of
from api.runtime.redis_gate import Limit
from api.services import Services, services_of
from api.settings import parse_limits

PUBLIC = "public"
"""Anyone may."""
UNLIMITED = "uncounted"
"""Anyone may, without a limit: what has to answer when Redis does not."""
SIGNED_IN = "signed in"
"""Any role, and any API key, may."""

_NOBODY = "sign in first: Authorization: Bearer <access token>, or X-API-Key: <API key>"

Need = Scope | str
RecordKey = Callable[[Request], Awaitable[str | None]]
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])

_bearer = OAuth2PasswordBearer(
    tokenUrl="auth/token",
    refreshUrl="auth/refresh/",
    scopes={str(scope): text for scope, text in DESCRIPTIONS.items()},
    auto_error=False,
    description="An access token from sign-in (or an API key, which is taken here too)",
)
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, for machines")
# Asked by the gate itself, not as its dependencies: each of those costs a twentieth of a cached answer.
SCHEMES = {scheme.scheme_name: scheme.model for scheme in (_bearer, _api_key)}
"""The ways to say who one is, for the documentation."""


def needs(
    need: Need, *, or_cookie: bool = False, record_key: RecordKey | None = None
) -> Callable[[_Endpoint], _Endpoint]:
    """Say what an endpoint needs: a scope, SIGNED_IN or PUBLIC. Routes without it cannot be added.

    The browser's cookie counts only where `or_cookie` is set: browsers send it unasked. `record_key` tells which
    cached record the request will want, so that it comes with the round trip that the gate needs (`held_record_of`).
    """

    def mark(endpoint: _Endpoint) -> _Endpoint:
        endpoint.gate = partial(gate, need, takes_cookie=or_cookie, record_key=record_key)  # type: ignore[attr-defined]
        endpoint.needs = need  # type: ignore[attr-defined]
        return endpoint

    return mark


def gate(need: Need, *, takes_cookie: bool, record_key: RecordKey | None) -> Any:
    """Return the dependency that lets nobody pass to an endpoint who may not."""
    if need == PUBLIC:
        return Depends(_count_address)

    async def admit(request: Request) -> None:
        services, client = services_of(request), client_of(request)
        token, api_key = await _bearer(request), await _api_key(request)
        cookie = own_cookie(request) if takes_cookie else None
        record = await record_key(request) if record_key is not None else None
        try:
            claim = await _claim(services, token=token, api_key=api_key, cookie=cookie)
            caller = await _admit(request, services, client, claim, record=record)
        except NotSignedIn as refusal:
            # First: who comes too often is not answered. (One whose claim was looked up has been counted.)
            if not hasattr(request.state, "limit"):
                await _count_address(request)
            await _write_down(services, client, refusal)
            raise
        request.state.caller = caller
        if isinstance(need, Scope):
            await demand(request, services, client, caller, need)

    return Depends(admit)


def security(need: Need) -> list[dict[str, list[str]]]:
    """Return how an endpoint lets somebody in, for its documentation: by any of `SCHEMES`, with a scope."""
    scopes = [str(need)] if isinstance(need, Scope) else []
    return [{name: scopes} for name in SCHEMES]


async def _claim(services: Services, *, token: str | None, api_key: str | None, cookie: str | None) -> Claim:
    if token is not None and token.startswith(API_KEY_MARK):
        token, api_key = None, api_key or token
    if token is not None:
        try:
            return callers.by_token(services, token)
        except UnknownKey:
            await services.tokens.learn_keys()
            return callers.by_token(services, token)
    if api_key is not None:
        return callers.by_api_key(api_key)
    if cookie is not None:
        return callers.by_cookie(cookie)
    raise NotSignedIn(_NOBODY)


async def _admit(
    request: Request, services: Services, client: RequestClient, claim: Claim, *, record: str | None
) -> Caller:
    """Return who is calling. Raises NotSignedIn, TooManyRequests.

    One round trip if a token names the user, so that all is known beforehand; else, and where a copy is missing or
    not to be trusted, a second one once it is known who is calling.
    """
    then = _by_user(services, claim.user_id) if claim.user_id is not None else None
    admission = await services.redis_gate.ask(
        _by_address(services, client), copies=claim.copies, then=then, record=record if then else None
    )
    request.state.limit = admission.limit
    held, *held_account = admission.copies
    holder = await callers.prove(services, claim, held)
    if admission.then is not None:
        caller = await callers.caller(services, holder, held_account[0])
        request.state.limit, request.state.record = admission.then, admission.record
        return caller
    return await _admit_holder(request, services, client, holder, record=record)


async def _admit_holder(
    request: Request, services: Services, client: RequestClient, holder: Holder, *, record: str | None
) -> Caller:
    key = holder.key
    limit = _by_user(services, holder.user_id) if key is None else _by_key(services, key.id)
    copies = [account_key(holder.user_id), *([noted_key(key.id)] if key is not None else [])]
    admission = await services.redis_gate.ask(limit, copies=copies, record=record)
    held, *noted = admission.copies
    caller = await callers.caller(services, holder, held)
    request.state.limit, request.state.record = admission.limit, admission.record
    if key is not None and noted == [None]:
        await note_use(services, client, key.id, owner=caller.account)
    return caller


async def demand(
    request: Request, services: Services, client: RequestClient, caller: Caller, scope: Scope
) -> None:
    """Raise Forbidden, and write it down, if a caller does not have a scope."""
    if scope in caller.scopes:
        return
    await record_event_once_a_minute(
        services,
        Event.ACCESS_REFUSED,
        client,
        about=f"{caller.user_id} {caller.key_id} {scope}",
        actor=caller.account,
        detail=f"{request.method} {request.url.path[:200]} needs {scope}",
    )
    whose = "this API key" if caller.key_id is not None else f"the role {caller.role}"
    raise Forbidden(
        f"{whose} does not have the scope {scope}, which is needed here",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


async def _count_address(request: Request) -> None:
    services = services_of(request)
    admission = await services.redis_gate.ask(_by_address(services, client_of(request)))
    request.state.limit = admission.limit


def _by_address(services: Services, client: RequestClient) -> Limit:
    items = parse_limits(services.settings.limit_address)
    return Limit(items, f"address {client.network}", "requests from this address")


def _by_user(services: Services, user_id: UUID) -> Limit:
    return Limit(parse_limits(services.settings.limit_caller), f"user {user_id}", "requests of this user")


def _by_key(services: Services, key_id: UUID) -> Limit:
    return Limit(parse_limits(services.settings.limit_caller), f"key {key_id}", "requests by this API key")


async def _write_down(services: Services, client: RequestClient, refusal: NotSignedIn) -> None:
    if refusal.detail != _NOBODY:
        await record_event_once_a_minute(
            services, Event.CREDENTIALS_REFUSED, client, about=refusal.detail, detail=refusal.detail
        )


def caller_of(request: Request) -> Caller:
    """Return who is calling."""
    caller = request.state.caller  # put there by the gate, which comes first
    assert isinstance(caller, Caller)
    return caller


def cached_record_of(request: Request) -> bytes | None:
    """Return what the cache holds under the key that the endpoint named (`needs`)."""
    held = request.state.record  # like the caller
    assert held is None or isinstance(held, bytes)
    return held


async def _caller(request: Request) -> Caller:
    return caller_of(request)


CallerDep = Annotated[Caller, Depends(_caller)]
