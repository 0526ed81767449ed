"""Sessions: opened by sign-in, refreshed, listed, and ended immediately and permanently."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.audit.events import AccountRef, Event, record_event
from api.auth import repository
from api.auth.cache import invalidate, session_key
from api.auth.refresh import hash_token, new_refresh_token, next_refresh_token
from api.auth.repository import SessionKind, StoredSession
from api.auth.roles import SCOPES, Role
from api.auth.schemas import Token
from api.auth.tokens import issue
from api.problems import NotSignedIn
from api.runtime.client_address import RequestClient
from api.services import Services
from api.users import repository as accounts
from api.users.repository import Account

logger = logging.getLogger(__name__)

COOKIE_SEPARATOR = "."


@dataclass(frozen=True)
class _RefusedRefresh:
    """An invalid refresh token. If the token was used before, `reused_by` is the account that it belongs to."""

    reused_by: AccountRef | None = None


async def open_api_session(services: Services, client: RequestClient, account: Account) -> Token:
    """Open a session with tokens for an account whose password was verified."""
    token, session_id, settings = new_refresh_token(), uuid4(), services.settings
    lifetime = timedelta(days=settings.session_days)
    async with services.users.begin() as connection:
        role = await _open(
            connection,
            client,
            account,
            session_id=session_id,
            kind=SessionKind.API,
            secret_hash=None,
            lifetime=lifetime,
        )
        await repository.add_refresh_token(connection, session_id, hash_token(token))
    return _tokens(services, account.id, session_id, role=role, refresh_token=token)


async def open_browser_session(
    users: AsyncEngine, client: RequestClient, account: Account, *, lifetime: timedelta
) -> str:
    """Open a session with a cookie for an account whose password was verified; return the cookie's value."""
    secret, session_id = secrets.token_urlsafe(32), uuid4()
    async with users.begin() as connection:
        await _open(
            connection,
            client,
            account,
            session_id=session_id,
            kind=SessionKind.BROWSER,
            secret_hash=hash_token(secret),
            lifetime=lifetime,
        )
    return f"{session_id}{COOKIE_SEPARATOR}{secret}"


async def _open(
    connection: AsyncConnection,
    client: RequestClient,
    account: Account,
    *,
    session_id: UUID,
    kind: SessionKind,
    secret_hash: str | None,
    lifetime: timedelta,
) -> Role:
    # Read again, and locked: the account may have been disabled, or its password changed, during the password check.
    current = await accounts.find(connection, account.id, lock="share")
    if current is None or current.disabled_at or current.password_hash != account.password_hash:
        raise NotSignedIn("the account was changed during the sign-in; sign in again")
    await repository.add(
        connection,
        session_id=session_id,
        user_id=account.id,
        kind=kind,
        secret_hash=secret_hash,
        lifetime=lifetime,
        client=client,
    )
    actor = AccountRef(account.id, account.username)
    await record_event(connection, Event.SIGNED_IN, client, actor=actor, detail=kind)
    return current.role


async def refresh(services: Services, client: RequestClient, token: str) -> Token:
    """Exchange a refresh token for new tokens. A refresh token is valid for one use.

    A second use is a sign of theft, so it ends the session. An exception is a second use within the grace period: the
    client has probably sent the token twice at the same time, so it gets the same new tokens again.

    Raises:
        NotSignedIn: The token is unknown or used, or its session has ended.
    """
    async with services.users.begin() as connection:
        result = await _rotate(services, connection, client, token)
    if isinstance(result, Token):
        return result
    if result.reused_by is not None:
        logger.warning(
            "a refresh token of %s was used a second time; its session has been ended",
            result.reused_by.username,
        )
    raise NotSignedIn("the refresh token is unknown, used or expired; sign in again")


async def _rotate(
    services: Services, connection: AsyncConnection, client: RequestClient, token: str
) -> Token | _RefusedRefresh:
    keys = services.tokens.keys()
    following = next_refresh_token(token, keys[0])
    session_id = await repository.use_refresh_token(connection, hash_token(token))
    if session_id is not None:
        await repository.add_refresh_token(connection, session_id, hash_token(following))
    else:
        grace = timedelta(seconds=services.settings.refresh_grace_seconds)
        used = await repository.find_used(connection, hash_token(token), grace=grace)
        if used is None:
            return _RefusedRefresh()
        session_id = used.session_id
        candidates = [next_refresh_token(token, key) for key in keys] if used.is_within_grace else []
        current = [
            candidate
            for candidate in candidates
            if await repository.is_unused(connection, hash_token(candidate))
        ]
        if not current:
            return _RefusedRefresh(await _end_stolen(services.state, connection, client, session_id))
        following = current[0]
    session = await repository.touch(connection, session_id)
    account = await accounts.find(connection, session.user_id) if session else None
    if session is None or account is None or account.disabled_at:
        return _RefusedRefresh()
    return _tokens(services, account.id, session_id, role=account.role, refresh_token=following)


async def _end_stolen(
    state: Redis, connection: AsyncConnection, client: RequestClient, session_id: UUID
) -> AccountRef | None:
    session = await repository.touch(connection, session_id)
    account = await accounts.find(connection, session.user_id) if session else None
    if session is None or account is None:
        return None
    await _end(state, connection, [session_id], ended_by=Event.REFRESH_TOKEN_REUSED)
    actor = AccountRef(account.id, account.username)
    detail = f"session {session_id}"
    await record_event(connection, Event.REFRESH_TOKEN_REUSED, client, actor=actor, detail=detail)
    return actor


async def list_sessions(users: AsyncEngine, user_id: UUID) -> list[StoredSession]:
    """Return a user's open sessions, newest first."""
    async with users.connect() as connection:
        return await repository.list_open(connection, user_id)


async def end_sessions(
    users: AsyncEngine,
    state: Redis,
    client: RequestClient,
    *,
    owner: AccountRef,
    only: UUID | None = None,
    all_but: UUID | None = None,
    actor: AccountRef | None = None,
) -> int:
    """End open sessions of an account: one (`only`), all but one (`all_but`), or all.

    Args:
        users: The API's own database.
        state: Redis's state database.
        client: The client that sends the request.
        owner: The account whose sessions end.
        only: End this session only.
        all_but: End all sessions except this one.
        actor: The account that ends them; by default the owner.

    Returns:
        How many sessions were ended.
    """
    async with users.begin() as connection:
        ended = await end_all(
            state, connection, owner.id, ended_by=Event.SIGNED_OUT, only=only, all_but=all_but
        )
        if ended:
            detail = ", ".join(f"session {session_id}" for session_id in ended)
            await record_event(
                connection, Event.SIGNED_OUT, client, actor=actor or owner, subject=owner, detail=detail
            )
    return len(ended)


async def end_all(
    state: Redis,
    connection: AsyncConnection,
    user_id: UUID,
    *,
    ended_by: str,
    only: UUID | None = None,
    all_but: UUID | None = None,
) -> list[UUID]:
    """End a user's open sessions. Until the caller's transaction ends, no new session can be opened for the user.

    Args:
        state: Redis's state database.
        connection: A connection in a transaction.
        user_id: The account whose sessions end.
        ended_by: The event that ends them.
        only: End this session only.
        all_but: End all sessions except this one.

    Returns:
        The ids of the ended sessions.
    """
    await accounts.find(connection, user_id, lock="update")
    opened = [session.id for session in await repository.list_open(connection, user_id)]
    ending = [session_id for session_id in opened if session_id != all_but and only in (None, session_id)]
    await _end(state, connection, ending, ended_by=ended_by)
    return ending


async def _end(
    state: Redis, connection: AsyncConnection, session_ids: Sequence[UUID], *, ended_by: str
) -> None:
    if session_ids:
        await invalidate(state, *(session_key(session_id) for session_id in session_ids))
        await repository.end(connection, session_ids, ended_by=ended_by)


def _tokens(services: Services, user_id: UUID, session_id: UUID, *, role: Role, refresh_token: str) -> Token:
    return Token(
        access_token=issue(services.tokens.settings, user_id=user_id, session_id=session_id, role=role),
        expires_in=int(services.settings.access_lifetime.total_seconds()),
        refresh_token=refresh_token,
        scope=" ".join(sorted(SCOPES[role])),
    )
