"""The gate before every endpoint: rate limits, authentication, authorization. `needs` declares the requirements."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette.requests import Request

from api.audit.events import Event, record_event_once_a_minute
from api.auth.cache import account_key
from api.auth.callers import (
    Caller,
    PresentedCredential,
    VerifiedCredential,
    credential_from_api_key,
    credential_from_cookie,
    credential_from_token,
    load_caller,
    verify_credential,
)
from api.auth.cookies import own_cookie
from api.auth.roles import DESCRIPTIONS, Scope
from api.auth.tokens import AccessTokens, UnknownKey
from api.keys.key_format import API_KEY_MARK
from api.keys.service import record_use, recorded_use_key
from api.problems import Forbidden, NotSignedIn
from api.runtime.client_address import RequestClient, client_of
from api.runtime.redis_gate import Limit
from api.services import Services, services_of
from api.settings import ApiSettings, parse_limits

PUBLIC = "public"
"""Requirement of an endpoint that everyone may call."""
UNLIMITED = "unlimited"
"""Requirement of an endpoint that everyone may call. It has no rate limit, so it answers even if Redis does not."""
SIGNED_IN = "signed in"
"""Requirement of an endpoint that every role and every API key may call."""

_NO_CREDENTIALS = "no credentials; send Authorization: Bearer <access token> or X-API-Key: <API key>"

Need = Scope | str
RecordKey = Callable[[Request], Awaitable[str | None]]
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])

_bearer = OAuth2PasswordBearer(
    tokenUrl="auth/token",
    refreshUrl="auth/refresh/",
    scopes={str(scope): text for scope, text in DESCRIPTIONS.items()},
    auto_error=False,
    description="An access token from sign-in; an API key is accepted here too",
)
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, for programs")
# The gate calls `_bearer` and `_api_key` itself. If they were FastAPI dependencies, each would take 5 % of the time of
# a response from the cache.
SCHEMES = {scheme.scheme_name: scheme.model for scheme in (_bearer, _api_key)}
"""The ways to authenticate, for the documentation."""


def needs(
    need: Need, *, or_cookie: bool = False, record_key: RecordKey | None = None
) -> Callable[[_Endpoint], _Endpoint]:
    """Declare what an endpoint needs. `api.routing.Router` refuses endpoints without this declaration.

    Args:
        need: A scope, SIGNED_IN, PUBLIC or UNLIMITED.
        or_cookie: Whether the browser's cookie authenticates too. By default it does not, because browsers attach
            cookies also to requests that other sites cause.
        record_key: Returns the cache key of the record that the endpoint will read. The gate fetches this record in
            its own round trip to Redis; the endpoint gets it from `cached_record_of`.
    """

    def mark(endpoint: _Endpoint) -> _Endpoint:
        endpoint.gate = partial(gate, need, takes_cookie=or_cookie, record_key=record_key)  # type: ignore[attr-defined]
        endpoint.needs = need  # type: ignore[attr-defined]
        return endpoint

    return mark


def gate(need: Need, *, takes_cookie: bool, record_key: RecordKey | None) -> Any:
    """Return the dependency that refuses callers who do not satisfy `need`."""
    if need == PUBLIC:
        return Depends(_count_address)

    async def admit(request: Request) -> None:
        services, client = services_of(request), client_of(request)
        token, api_key = await _bearer(request), await _api_key(request)
        cookie = own_cookie(request) if takes_cookie else None
        record = await record_key(request) if record_key is not None else None
        try:
            presented = await _presented(services.tokens, token=token, api_key=api_key, cookie=cookie)
            caller = await _admit(request, services, client, presented, record=record)
        except NotSignedIn as refusal:
            # A request with a refused credential also counts towards the limit of its address. If `limit` is set, the
            # gate has already counted it, because it refused the credential only after the round trip to Redis.
            if not hasattr(request.state, "limit"):
                await _count_address(request)
            await _record_refusal(services, client, refusal)
            raise
        request.state.caller = caller
        if isinstance(need, Scope):
            await require_scope(request, services, client, caller, need)

    return Depends(admit)


def security(need: Need) -> list[dict[str, list[str]]]:
    """Return the OpenAPI security requirements of an endpoint: any of `SCHEMES`, with the scope."""
    scopes = [str(need)] if isinstance(need, Scope) else []
    return [{name: scopes} for name in SCHEMES]


async def _presented(
    tokens: AccessTokens, *, token: str | None, api_key: str | None, cookie: str | None
) -> PresentedCredential:
    if token is not None and token.startswith(API_KEY_MARK):
        token, api_key = None, api_key or token
    if token is not None:
        try:
            return credential_from_token(tokens, token)
        except UnknownKey:
            await tokens.learn_keys()
            return credential_from_token(tokens, token)
    if api_key is not None:
        return credential_from_api_key(api_key)
    if cookie is not None:
        return credential_from_cookie(cookie)
    raise NotSignedIn(_NO_CREDENTIALS)


async def _admit(
    request: Request,
    services: Services,
    client: RequestClient,
    presented: PresentedCredential,
    *,
    record: str | None,
) -> Caller:
    """Return the caller. Raises NotSignedIn, TooManyRequests.

    An access token names its user, so one round trip to Redis is enough if Redis has valid copies of the session and
    the account. A cookie or an API key does not name its owner, so a second round trip follows when the owner is known.
    """
    second = _limit_of_user(services.settings, presented.user_id) if presented.user_id is not None else None
    admission = await services.redis_gate.admit(
        _limit_of_address(services.settings, client),
        copies=presented.copies,
        second_limit=second,
        record=record if second else None,
    )
    request.state.limit = admission.limit
    copy, *account_copy = admission.copies
    verified = await verify_credential(services.users, services.state, presented, copy=copy)
    if admission.second_limit is not None:
        caller = await load_caller(services.users, services.state, verified, copy=account_copy[0])
        request.state.limit, request.state.record = admission.second_limit, admission.record
        return caller
    return await _admit_verified(request, services, client, verified, record=record)


async def _admit_verified(
    request: Request,
    services: Services,
    client: RequestClient,
    verified: VerifiedCredential,
    *,
    record: str | None,
) -> Caller:
    key, settings = verified.key, services.settings
    limit = _limit_of_user(settings, verified.user_id) if key is None else _limit_of_key(settings, key.id)
    copies = [account_key(verified.user_id), *([recorded_use_key(key.id)] if key is not None else [])]
    admission = await services.redis_gate.admit(limit, copies=copies, record=record)
    copy, *recorded_use = admission.copies
    caller = await load_caller(services.users, services.state, verified, copy=copy)
    request.state.limit, request.state.record = admission.limit, admission.record
    if key is not None and recorded_use == [None]:
        await record_use(services.users, services.state, client, key.id, owner=caller.account)
    return caller


async def require_scope(
    request: Request, services: Services, client: RequestClient, caller: Caller, scope: Scope
) -> None:
    """Check that a caller has a scope. If not, record this in the audit log and raise Forbidden.

    Args:
        request: The request that needs the scope; the audit log names its method and path.
        services: The API's services.
        client: Where the request comes from.
        caller: The account, with the scopes of its role or of its API key.
        scope: The scope that the endpoint needs.
    """
    if scope in caller.scopes:
        return
    await record_event_once_a_minute(
        services.users,
        services.state,
        Event.ACCESS_REFUSED,
        client,
        about=f"{caller.user_id} {caller.key_id} {scope}",
        actor=caller.account,
        detail=f"{request.method} {request.url.path[:200]} needs {scope}",
    )
    holder = "this API key" if caller.key_id is not None else f"the role {caller.role}"
    raise Forbidden(
        f"this operation needs the scope {scope}; {holder} does not have it",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


async def _count_address(request: Request) -> None:
    services = services_of(request)
    admission = await services.redis_gate.admit(_limit_of_address(services.settings, client_of(request)))
    request.state.limit = admission.limit


def _limit_of_address(settings: ApiSettings, client: RequestClient) -> Limit:
    return Limit(
        parse_limits(settings.limit_address), f"address {client.network}", "requests from this address"
    )


def _limit_of_user(settings: ApiSettings, user_id: UUID) -> Limit:
    return Limit(parse_limits(settings.limit_caller), f"user {user_id}", "requests of this user")


def _limit_of_key(settings: ApiSettings, key_id: UUID) -> Limit:
    return Limit(parse_limits(settings.limit_caller), f"key {key_id}", "requests by this API key")


async def _record_refusal(services: Services, client: RequestClient, refusal: NotSignedIn) -> None:
    if refusal.detail != _NO_CREDENTIALS:
        await record_event_once_a_minute(
            services.users,
            services.state,
            Event.CREDENTIALS_REFUSED,
            client,
            about=refusal.detail,
            detail=refusal.detail,
        )


def caller_of(request: Request) -> Caller:
    """Return the caller of a request."""
    caller = request.state.caller  # the gate, which runs first, has set it
    assert isinstance(caller, Caller)
    return caller


def cached_record_of(request: Request) -> bytes | None:
    """Return the cache entry for the `record_key` that the endpoint declared with `needs`; None if there is none."""
    record = request.state.record  # the gate has set it
    assert record is None or isinstance(record, bytes)
    return record


async def _caller(request: Request) -> Caller:
    return caller_of(request)


CallerDep = Annotated[Caller, Depends(_caller)]
