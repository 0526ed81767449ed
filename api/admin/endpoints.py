"""Endpoints for admins: accounts and the audit log."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator

from api.audit import repository as audit
from api.audit.events import AccountRef, Event
from api.audit.schemas import AuditEntry, AuditPage
from api.auth import sessions
from api.auth.dependencies import CallerDep, needs
from api.auth.roles import Role, Scope
from api.routing import Router, problems
from api.runtime.client_address import ClientDep
from api.services import ServicesDep
from api.users import service as users
from api.users.schemas import NewUser, User, UserChange, UserPage

router = Router(prefix="/admin", tags=["admin"])

_NOT_FOUND = problems(HTTPStatus.NOT_FOUND)
_NOT_FOUND_OR_LAST_ADMIN = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_LARGEST_ID = 2**63 - 1


def _has_no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


Limit = Annotated[int, Query(ge=1, le=200, description="Size of a page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="How many accounts to skip")]


@router.get("/users/", summary="List accounts")
@needs(Scope.USERS)
async def list_users(
    services: ServicesDep,
    q: Annotated[
        str | None,
        AfterValidator(_has_no_nul),
        Query(max_length=100, description="Part of a username or e-mail address"),
    ] = None,
    role: Role | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> UserPage:
    """Return accounts ordered by name: all, or those that match `q` and `role`."""
    return await users.search(services.users, text=q, role=role, limit=limit, offset=offset)


@router.post(
    "/users/",
    summary="Create an account",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.CONFLICT),
)
@needs(Scope.USERS)
async def create_user(new: NewUser, caller: CallerDep, services: ServicesDep, client: ClientDep) -> User:
    """Create an account for another person. This works even if registration is closed."""
    return await users.create(services.users, services.settings, client, new, actor=caller.account)


@router.get("/users/{user_id}/", summary="Read an account", responses=_NOT_FOUND)
@needs(Scope.USERS)
async def read_user(user_id: UUID, services: ServicesDep) -> User:
    """Return an account."""
    return await users.get(services.users, user_id)


@router.patch("/users/{user_id}/", summary="Change an account", responses=_NOT_FOUND_OR_LAST_ADMIN)
@needs(Scope.USERS)
async def change_user(
    user_id: UUID, change: UserChange, caller: CallerDep, services: ServicesDep, client: ClientDep
) -> User:
    """Change an account's role or password, or disable or enable it.

    The change takes effect immediately in all sessions. The last admin cannot be disabled or lose the role.
    """
    return await users.change(
        services.users,
        services.state,
        client,
        user_id,
        change,
        bcrypt_cost=services.settings.bcrypt_cost,
        actor=caller.account,
    )


@router.delete(
    "/users/{user_id}/",
    summary="Delete an account",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_NOT_FOUND_OR_LAST_ADMIN,
)
@needs(Scope.USERS)
async def delete_user(user_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Delete an account with its sessions, API keys and requests. Its entries in the audit log stay."""
    await users.delete(services.users, services.state, client, user_id, actor=caller.account)


@router.delete(
    "/users/{user_id}/sessions/",
    summary="Sign a user out",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_NOT_FOUND,
)
@needs(Scope.USERS)
async def sign_user_out(user_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End all sessions of an account. Its API keys stay valid; disable the account to block those too."""
    user = await users.get(services.users, user_id)
    owner = AccountRef(user.id, user.username)
    await sessions.end_sessions(services.users, services.state, client, owner=owner, actor=caller.account)


@router.get("/audit/", summary="Read the audit log")
@needs(Scope.AUDIT_READ)
async def read_audit_log(
    services: ServicesDep,
    event: Event | None = None,
    user_id: Annotated[
        UUID | None, Query(description="The account that caused the event or was its subject")
    ] = None,
    before: Annotated[
        int | None, Query(ge=1, le=_LARGEST_ID, description="Only entries older than the entry with this id")
    ] = None,
    limit: Limit = 100,
) -> AuditPage:
    """Return security events, newest first. To get the next page, pass `next` as `before`."""
    async with services.users.connect() as connection:
        events = await audit.read(connection, event=event, user_id=user_id, before=before, limit=limit)
    entries = [AuditEntry.model_validate(entry) for entry in events]
    return AuditPage(entries=entries, next=entries[-1].id if len(entries) == limit else None)
