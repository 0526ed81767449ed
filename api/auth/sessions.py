"""Sessions: opened by signing in, refreshed, listed, ended at once and for ever."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.events import AccountRef, Event, record_event
from api.auth import repository
from api.auth.cache import invalidate, session_key
from api.auth.refresh import hash_token, new_refresh_token, next_refresh_token
from api.auth.repository import SessionKind
from api.auth.roles import SCOPES, Role
from api.auth.schemas import Token
from api.auth.tokens import issue
from api.problems import NotSignedIn
from api.runtime.client_address import RequestClient
from api.services import Services
from api.users import repository as users

logger = logging.getLogger(__name__)

COOKIE_SEPARATOR = "."


@dataclass(frozen=True)
class _Refused:
    """A refresh token that is not good; `reused_by` is whose it was, if it had been used before."""

    reused_by: AccountRef | None = None


async def open_api_session(services: Services, client: RequestClient, user: Row[Any]) -> Token:
    """Open a session with tokens for a user who has proved the password."""
    token, session_id, settings = new_refresh_token(), uuid4(), services.settings
    async with services.users.begin() as connection:
        role = await _open(
            connection, client, user, session_id, SessionKind.API, None, timedelta(days=settings.session_days)
        )
        await repository.add_refresh_token(connection, session_id, hash_token(token))
    return _tokens(services, user_id=user.id, session_id=session_id, role=role, refresh_token=token)


async def open_browser_session(services: Services, client: RequestClient, user: Row[Any]) -> str:
    """Open a session with a cookie for a user who has proved the password; return the cookie's value."""
    secret, session_id = secrets.token_urlsafe(32), uuid4()
    lifetime = timedelta(hours=services.settings.browser_hours)
    async with services.users.begin() as connection:
        await _open(connection, client, user, session_id, SessionKind.BROWSER, hash_token(secret), lifetime)
    return f"{session_id}{COOKIE_SEPARATOR}{secret}"


async def _open(
    connection: AsyncConnection,
    client: RequestClient,
    user: Row[Any],
    session_id: UUID,
    kind: SessionKind,
    secret_hash: str | None,
    lifetime: timedelta,
) -> Role:
    # Again, and locked: it may have been disabled, or got another password, while this one was being checked.
    current = await users.find(connection, user.id, lock="share")
    if current is None or current.disabled_at or current.password_hash != user.password_hash:
        raise NotSignedIn("the account has just changed; sign in again")
    await repository.add(
        connection,
        session_id=session_id,
        user_id=user.id,
        kind=kind,
        secret_hash=secret_hash,
        lifetime=lifetime,
        client=client,
    )
    await record_event(
        connection, Event.SIGNED_IN, client, actor=AccountRef(user.id, user.username), detail=kind
    )
    return Role(current.role)


async def refresh(services: Services, client: RequestClient, token: str) -> Token:
    """Return new tokens for a refresh token, which is used up by that.

    Raises NotSignedIn for one that is not good. One that was used before is a sign of theft: its session ends,
    unless it was used only just now (a client that raced itself), which gets what the first one got.
    """
    async with services.users.begin() as connection:
        result = await _rotate(services, connection, client, token)
    if isinstance(result, Token):
        return result
    if result.reused_by is not None:
        logger.warning(
            "a used refresh token of %s came again; its session has ended", result.reused_by.username
        )
    raise NotSignedIn("the refresh token is not valid, or no longer; sign in again")


async def _rotate(
    services: Services, connection: AsyncConnection, client: RequestClient, token: str
) -> Token | _Refused:
    keys = services.tokens.keys()
    following = next_refresh_token(token, keys[0])
    session_id = await repository.use_refresh_token(connection, hash_token(token))
    if session_id is not None:
        await repository.add_refresh_token(connection, session_id, hash_token(following))
    else:
        grace = timedelta(seconds=services.settings.refresh_grace_seconds)
        used = await repository.find_used(connection, hash_token(token), grace=grace)
        if used is None:
            return _Refused()
        session_id, just_now = used
        candidates = [next_refresh_token(token, key) for key in keys] if just_now else []
        current = [each for each in candidates if await repository.is_unused(connection, hash_token(each))]
        if not current:
            return _Refused(await _end_stolen(services, connection, client, session_id))
        following = current[0]
    session = await repository.touch(connection, session_id)
    user = await users.find(connection, session.user_id) if session else None
    if session is None or user is None or user.disabled_at:
        return _Refused()
    return _tokens(
        services, user_id=user.id, session_id=session_id, role=Role(user.role), refresh_token=following
    )


async def _end_stolen(
    services: Services, connection: AsyncConnection, client: RequestClient, session_id: UUID
) -> AccountRef | None:
    session = await repository.touch(connection, session_id)
    user = await users.find(connection, session.user_id) if session else None
    if session is None or user is None:
        return None
    await _end(services, connection, [session_id], ended_by=Event.REFRESH_TOKEN_REUSED)
    person = AccountRef(user.id, user.username)
    await record_event(
        connection, Event.REFRESH_TOKEN_REUSED, client, actor=person, detail=f"session {session_id}"
    )
    return person


async def list_sessions(services: Services, user_id: UUID) -> Sequence[Row[Any]]:
    """Return a user's open sessions, the newest first."""
    async with services.users.connect() as connection:
        return await repository.list_open(connection, user_id)


async def end_sessions(
    services: Services,
    client: RequestClient,
    *,
    user: AccountRef,
    only: UUID | None = None,
    but: UUID | None = None,
    actor: AccountRef | None = None,
) -> int:
    """End a user's open sessions: `only` one, all `but` one, or all; return how many there were."""
    async with services.users.begin() as connection:
        ended = await end_all(services, connection, user.id, ended_by=Event.SIGNED_OUT, only=only, but=but)
        if ended:
            detail = ", ".join(f"session {session_id}" for session_id in ended)
            await record_event(
                connection, Event.SIGNED_OUT, client, actor=actor or user, subject=user, detail=detail
            )
    return len(ended)


async def end_all(
    services: Services,
    connection: AsyncConnection,
    user_id: UUID,
    *,
    ended_by: str,
    only: UUID | None = None,
    but: UUID | None = None,
) -> list[UUID]:
    """End a user's open sessions in a transaction of the caller's; none can be opened until it is over."""
    await users.find(connection, user_id, lock="update")
    opened = [session.id for session in await repository.list_open(connection, user_id)]
    ending = [each for each in opened if each != but and only in (None, each)]
    await _end(services, connection, ending, ended_by=ended_by)
    return ending


async def _end(
    services: Services, connection: AsyncConnection, session_ids: Sequence[UUID], *, ended_by: str
) -> None:
    if session_ids:
        await invalidate(services.state, *(session_key(session_id) for session_id in session_ids))
        await repository.end(connection, session_ids, ended_by=ended_by)


def _tokens(services: Services, *, user_id: UUID, session_id: UUID, role: Role, refresh_token: str) -> Token:
    return Token(
        access_token=issue(services.tokens.settings, user_id=user_id, session_id=session_id, role=role),
        expires_in=int(services.settings.access_lifetime.total_seconds()),
        refresh_token=refresh_token,
        scope=" ".join(sorted(SCOPES[role])),
    )
