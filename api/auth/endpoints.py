"""Registration, sign-in and out, tokens, sessions, who am I."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from fastapi.security import OAuth2PasswordRequestForm

from api.auth import service, sessions
from api.auth.dependencies import PUBLIC, SIGNED_IN, CallerDep, needs
from api.auth.roles import Scope
from api.auth.schemas import Credentials, NewPassword, RefreshRequest, Session, Token
from api.problems import NotFound
from api.routing import Router, problems
from api.runtime.client_address import ClientDep, RequestClient
from api.runtime.redis_gate import Limit
from api.services import Services, ServicesDep
from api.settings import parse_limits
from api.users import service as users
from api.users.schemas import Registration, User

router = Router(prefix="/auth", tags=["auth"])

_WRONG = problems(HTTPStatus.UNAUTHORIZED)


@router.post(
    "/register/",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT),
)
@needs(PUBLIC)
async def register(registration: Registration, services: ServicesDep, client: ClientDep) -> User:
    """Open an account (403 where registration is closed)."""
    limits = parse_limits(services.settings.limit_registrations)
    await services.redis_gate.ask(
        Limit(limits, f"registrations {client.network}", "registrations from this address")
    )
    return await users.register(services, client, registration)


@router.post("/login/", responses=_WRONG)
@needs(PUBLIC)
async def login(
    credentials: Credentials, services: ServicesDep, client: ClientDep, response: Response
) -> Token:
    """Sign in with JSON."""
    return await _sign_in(services, client, response, credentials.username, credentials.password)


@router.post("/token", responses=_WRONG)
@needs(PUBLIC)
async def token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    services: ServicesDep,
    client: ClientDep,
    response: Response,
) -> Token:
    """Sign in with the OAuth2 password form (what Swagger's Authorize button sends)."""
    return await _sign_in(services, client, response, form.username, form.password)


async def _sign_in(
    services: Services, client: RequestClient, response: Response, username: str, password: str
) -> Token:
    user = await service.authenticate(services, client, username=username, password=password)
    response.headers["Cache-Control"] = "no-store"
    return await sessions.open_api_session(services, client, user)


@router.post("/refresh/", responses=_WRONG)
@needs(PUBLIC)
async def refresh(
    request: RefreshRequest, services: ServicesDep, client: ClientDep, response: Response
) -> Token:
    """New tokens for a refresh token, which is used up by that. One that comes a second time ends its session."""
    response.headers["Cache-Control"] = "no-store"
    return await sessions.refresh(services, client, request.refresh_token)


@router.post("/logout/", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def logout(caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End this session, with all its tokens, at once."""
    await sessions.end_sessions(services, client, user=caller.account, only=caller.session_id)


@router.get("/me/")
@needs(SIGNED_IN)
async def me(caller: CallerDep, services: ServicesDep) -> User:
    """The account that is signed in."""
    return await users.get(services, caller.user_id)


@router.post("/password/", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def change_password(
    passwords: NewPassword, caller: CallerDep, services: ServicesDep, client: ClientDep
) -> None:
    """Change one's password; every other session ends."""
    await service.change_password(
        services,
        client,
        user=caller.account,
        current=passwords.current_password,
        new=passwords.new_password,
        session_id=caller.session_id,
    )


@router.get("/sessions/")
@needs(Scope.ACCOUNT)
async def list_sessions(caller: CallerDep, services: ServicesDep) -> list[Session]:
    """One's open sessions, the newest first."""
    rows = await sessions.list_sessions(services, caller.user_id)
    listed = [Session.model_validate(row) for row in rows]
    return [each.model_copy(update={"current": each.id == caller.session_id}) for each in listed]


@router.delete("/sessions/", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def end_all_sessions(
    caller: CallerDep,
    services: ServicesDep,
    client: ClientDep,
    keep_current: Annotated[bool, Query(description="Keep the session that asks")] = False,
) -> None:
    """Log out everywhere."""
    but = caller.session_id if keep_current else None
    await sessions.end_sessions(services, client, user=caller.account, but=but)


@router.delete(
    "/sessions/{session_id}/", status_code=HTTPStatus.NO_CONTENT, responses=problems(HTTPStatus.NOT_FOUND)
)
@needs(Scope.ACCOUNT)
async def end_session(session_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End one of one's sessions."""
    if not await sessions.end_sessions(services, client, user=caller.account, only=session_id):
        raise NotFound("you have no open session with this id")
