"""Accounts and the audit log, for admins."""

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
_NOT_FOUND_OR_LAST = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_LARGEST_ID = 2**63 - 1


def _can_be_looked_for(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("/users/")
@needs(Scope.USERS)
async def list_users(
    services: ServicesDep,
    q: Annotated[
        str | None,
        AfterValidator(_can_be_looked_for),
        Query(max_length=100, description="Part of a username or e-mail"),
    ] = None,
    role: Role | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> UserPage:
    """Accounts by name; all of them, or those found."""
    return await users.search(services, text=q, role=role, limit=limit, offset=offset)


@router.post("/users/", status_code=HTTPStatus.CREATED, responses=problems(HTTPStatus.CONFLICT))
@needs(Scope.USERS)
async def create_user(new: NewUser, caller: CallerDep, services: ServicesDep, client: ClientDep) -> User:
    """Open an account for somebody, also where registration is closed."""
    return await users.create(services, client, new, actor=caller.account)


@router.get("/users/{user_id}/", responses=_NOT_FOUND)
@needs(Scope.USERS)
async def read_user(user_id: UUID, services: ServicesDep) -> User:
    """An account."""
    return await users.get(services, user_id)


@router.patch("/users/{user_id}/", responses=_NOT_FOUND_OR_LAST)
@needs(Scope.USERS)
async def change_user(
    user_id: UUID, change: UserChange, caller: CallerDep, services: ServicesDep, client: ClientDep
) -> User:
    """Change an account's role or password, disable or enable it. It holds at once, in every session."""
    return await users.change(services, client, user_id, change, actor=caller.account)


@router.delete("/users/{user_id}/", status_code=HTTPStatus.NO_CONTENT, responses=_NOT_FOUND_OR_LAST)
@needs(Scope.USERS)
async def delete_user(user_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Delete an account with its sessions, API keys and requests; what the audit log says of it stays."""
    await users.delete(services, client, user_id, actor=caller.account)


@router.delete("/users/{user_id}/sessions/", status_code=HTTPStatus.NO_CONTENT, responses=_NOT_FOUND)
@needs(Scope.USERS)
async def sign_user_out(user_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """End every session of an account. (Its API keys stay; disable the account to shut those out too.)"""
    user = await users.get(services, user_id)
    await sessions.end_sessions(services, client, user=AccountRef(user.id, user.username), actor=caller.account)


@router.get("/audit/")
@needs(Scope.AUDIT_READ)
async def read_audit_log(
    services: ServicesDep,
    event: Event | None = None,
    user_id: Annotated[UUID | None, Query(description="Who did it, or to whom it was done")] = None,
    before: Annotated[
        int | None, Query(ge=1, le=_LARGEST_ID, description="Older than the entry with this id")
    ] = None,
    limit: Limit = 100,
) -> AuditPage:
    """Security events, the newest first. `next` is the `before` of the next page."""
    async with services.users.connect() as connection:
        rows = await audit.read(connection, event=event, user_id=user_id, before=before, limit=limit)
    entries = [AuditEntry.model_validate(row) for row in rows]
    return AuditPage(entries=entries, next=entries[-1].id if len(entries) == limit else None)
