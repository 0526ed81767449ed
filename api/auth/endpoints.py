"""Endpoints for registration, sign-in, tokens, sessions and your own account."""

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

_WRONG_CREDENTIALS = problems(HTTPStatus.UNAUTHORIZED)


@router.post(
    "/register/",
    summary="Register an account",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT),
)
@needs(PUBLIC)
async def register(registration: Registration, services: ServicesDep, client: ClientDep) -> User:
    """Create an account for yourself. The answer is 403 if registration is closed."""
    settings = services.settings
    limits = parse_limits(settings.limit_registrations)
    await services.redis_gate.admit(
        Limit(limits, f"registrations {client.network}", "registrations from this address")
    )
    return await users.register(services.users, settings, client, registration)


@router.post("/login/", summary="Sign in", responses=_WRONG_CREDENTIALS)
@needs(PUBLIC)
async def login(
    credentials: Credentials, services: ServicesDep, client: ClientDep, response: Response
) -> Token:
    """Sign in with a JSON body. This opens a session and returns its first tokens."""
    return await _sign_in(services, client, response, credentials.username, credentials.password)


@router.post("/token", summary="Sign in with a form", responses=_WRONG_CREDENTIALS)
@needs(PUBLIC)
async def token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    services: ServicesDep,
    client: ClientDep,
    response: Response,
) -> Token:
    """Sign in with the OAuth2 password form, which the Authorize button of this page sends."""
    return await _sign_in(services, client, response, form.username, form.password)


async def _sign_in(
    services: Services, client: RequestClient, response: Response, username: str, password: str
) -> Token:
    account = await service.authenticate(services, client, username=username, password=password)
    response.headers["Cache-Control"] = "no-store"
    return await sessions.open_api_session(services, client, account)


@router.post("/refresh/", summary="Refresh tokens", responses=_WRONG_CREDENTIALS)
@needs(PUBLIC)
async def refresh(
    request: RefreshRequest, services: ServicesDep, client: ClientDep, response: Response
) -> Token:
    """Exchange a refresh token for new tokens. A refresh token is valid once; a second use ends the session."""
    response.headers["Cache-Control"] = "no-store"
    return await sessions.refresh(services, client, request.refresh_token)


@router.post("/logout/", summary="Sign out", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def logout(caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End the current session. All its tokens become invalid immediately."""
    await sessions.end_sessions(
        services.users, services.state, client, owner=caller.account, only=caller.session_id
    )


@router.get("/me/", summary="Read my account")
@needs(SIGNED_IN)
async def me(caller: CallerDep, services: ServicesDep) -> User:
    """Return the account of the caller."""
    return await users.get(services.users, caller.user_id)


@router.post("/password/", summary="Change my password", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def change_password(
    passwords: NewPassword, caller: CallerDep, services: ServicesDep, client: ClientDep
) -> None:
    """Change your password. This ends all your other sessions."""
    await service.change_password(
        services,
        client,
        owner=caller.account,
        current=passwords.current_password,
        new=passwords.new_password,
        session_id=caller.session_id,
    )


@router.get("/sessions/", summary="List my sessions")
@needs(Scope.ACCOUNT)
async def list_sessions(caller: CallerDep, services: ServicesDep) -> list[Session]:
    """Return your open sessions, newest first."""
    opened = await sessions.list_sessions(services.users, caller.user_id)
    listed = [Session.model_validate(session) for session in opened]
    return [session.model_copy(update={"current": session.id == caller.session_id}) for session in listed]


@router.delete("/sessions/", summary="End all sessions", status_code=HTTPStatus.NO_CONTENT)
@needs(Scope.ACCOUNT)
async def end_all_sessions(
    caller: CallerDep,
    services: ServicesDep,
    client: ClientDep,
    keep_current: Annotated[bool, Query(description="Keep the current session open")] = False,
) -> None:
    """Sign out everywhere: end all your sessions, or all but the current one."""
    kept = caller.session_id if keep_current else None
    await sessions.end_sessions(services.users, services.state, client, owner=caller.account, all_but=kept)


@router.delete(
    "/sessions/{session_id}/",
    summary="End a session",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
@needs(Scope.ACCOUNT)
async def end_session(session_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End one of your sessions. All its tokens become invalid immediately."""
    ended = await sessions.end_sessions(
        services.users, services.state, client, owner=caller.account, only=session_id
    )
    if not ended:
        raise NotFound("you have no open session with this id")
