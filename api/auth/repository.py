"""SQL of sessions and their refresh tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.runtime.client_address import RequestClient
from api.users_tables import refresh_tokens, sessions

_IS_OPEN: ColumnElement[bool] = and_(sessions.c.ended_at.is_(None), sessions.c.expires_at > func.now())
_KEPT_AFTER_END = timedelta(days=90)


class SessionKind(StrEnum):
    """How the client of a session authenticates: with access and refresh tokens, or with a cookie."""

    API = "api"
    BROWSER = "browser"


@dataclass(frozen=True)
class StoredSession:
    """A session: a row of the table `sessions`."""

    id: UUID
    user_id: UUID
    kind: SessionKind
    secret_hash: str | None
    """SHA-256 of the cookie's secret; None for an API session."""
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None


@dataclass(frozen=True)
class UsedRefreshToken:
    """A refresh token that was used before: its session, and whether that was less than the grace period ago."""

    session_id: UUID
    is_within_grace: bool


def _session(row: Row[Any]) -> StoredSession:
    return StoredSession(
        id=row.id,
        user_id=row.user_id,
        kind=SessionKind(row.kind),
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        address=row.address,
        user_agent=row.user_agent,
    )


async def add(
    connection: AsyncConnection,
    *,
    session_id: UUID,
    user_id: UUID,
    kind: SessionKind,
    secret_hash: str | None,
    lifetime: timedelta,
    client: RequestClient,
) -> None:
    """Store a new session, and delete the user's sessions that ended more than 90 days ago.

    Args:
        connection: A connection in a transaction.
        session_id: The session's id.
        user_id: The account that signed in.
        kind: How the client authenticates.
        secret_hash: SHA-256 of the cookie's secret; None for an API session.
        lifetime: Time until the session expires.
        client: The client that signed in.
    """
    await connection.execute(
        delete(sessions).where(
            sessions.c.user_id == user_id,
            func.coalesce(sessions.c.ended_at, sessions.c.expires_at) < func.now() - _KEPT_AFTER_END,
        )
    )
    await connection.execute(
        insert(sessions).values(
            id=session_id,
            user_id=user_id,
            kind=kind,
            secret_hash=secret_hash,
            expires_at=func.now() + lifetime,
            address=client.address,
            user_agent=client.user_agent,
        )
    )


async def touch(connection: AsyncConnection, session_id: UUID) -> StoredSession | None:
    """Mark an open session as used now and return it; None if it has ended."""
    statement = update(sessions).where(sessions.c.id == session_id, _IS_OPEN)
    touched = await connection.execute(statement.values(last_used_at=func.now()).returning(sessions))
    row = touched.one_or_none()
    return None if row is None else _session(row)


async def list_open(connection: AsyncConnection, user_id: UUID) -> list[StoredSession]:
    """Return a user's open sessions, newest first."""
    query = select(sessions).where(sessions.c.user_id == user_id, _IS_OPEN)
    rows = await connection.execute(query.order_by(sessions.c.created_at.desc(), sessions.c.id))
    return [_session(row) for row in rows]


async def end(connection: AsyncConnection, session_ids: Sequence[UUID], *, ended_by: str) -> None:
    """End sessions; sessions that have already ended stay unchanged."""
    await connection.execute(
        update(sessions)
        .where(sessions.c.id.in_(session_ids), _IS_OPEN)
        .values(ended_at=func.now(), ended_by=ended_by)
    )


async def add_refresh_token(connection: AsyncConnection, session_id: UUID, token_hash: str) -> None:
    """Store the hash of a session's new refresh token."""
    await connection.execute(insert(refresh_tokens).values(token_hash=token_hash, session_id=session_id))


async def use_refresh_token(connection: AsyncConnection, token_hash: str) -> UUID | None:
    """Mark an unused refresh token as used and return its session; None if it is used or unknown."""
    statement = update(refresh_tokens).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_at.is_(None)
    )
    used = await connection.execute(
        statement.values(used_at=func.now()).returning(refresh_tokens.c.session_id)
    )
    session_id: UUID | None = used.scalar_one_or_none()
    return session_id


async def find_used(
    connection: AsyncConnection, token_hash: str, *, grace: timedelta
) -> UsedRefreshToken | None:
    """Return a refresh token that was used before; None if it is unused or unknown.

    If it was used less than `grace` ago, the client probably sent it twice at the same time.
    """
    # now() would return the start of this transaction, which may have waited for another one to use the token.
    age = func.clock_timestamp() - refresh_tokens.c.used_at
    query = select(refresh_tokens.c.session_id, (age < grace).label("is_within_grace")).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_at.is_not(None)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else UsedRefreshToken(row.session_id, row.is_within_grace)


async def is_unused(connection: AsyncConnection, token_hash: str) -> bool:
    """Return whether a refresh token exists and has not been used."""
    query = select(refresh_tokens.c.session_id).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_at.is_(None)
    )
    return (await connection.execute(query)).first() is not None
