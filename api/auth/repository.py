"""The SQL of sessions and their refresh tokens."""

from collections.abc import Sequence
from datetime import timedelta
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
    """How a session proves itself: by access and refresh tokens, or by a cookie."""

    API = "api"
    BROWSER = "browser"


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
    """Open a session; the user's sessions that ended long ago are forgotten."""
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


async def touch(connection: AsyncConnection, session_id: UUID) -> Row[Any] | None:
    """Return an open session, marked as used now; None if it has ended."""
    statement = update(sessions).where(sessions.c.id == session_id, _IS_OPEN)
    touched = await connection.execute(statement.values(last_used_at=func.now()).returning(sessions))
    row: Row[Any] | None = touched.one_or_none()
    return row


async def list_open(connection: AsyncConnection, user_id: UUID) -> Sequence[Row[Any]]:
    """Return a user's open sessions, the newest first."""
    query = select(sessions).where(sessions.c.user_id == user_id, _IS_OPEN)
    return (await connection.execute(query.order_by(sessions.c.created_at.desc(), sessions.c.id))).all()


async def end(connection: AsyncConnection, session_ids: Sequence[UUID], *, ended_by: str) -> None:
    """End sessions; those that have ended stay as they are."""
    await connection.execute(
        update(sessions)
        .where(sessions.c.id.in_(session_ids), _IS_OPEN)
        .values(ended_at=func.now(), ended_by=ended_by)
    )


async def add_refresh_token(connection: AsyncConnection, session_id: UUID, token_hash: str) -> None:
    """Write down the refresh token that a session has now."""
    await connection.execute(insert(refresh_tokens).values(token_hash=token_hash, session_id=session_id))


async def use_refresh_token(connection: AsyncConnection, token_hash: str) -> UUID | None:
    """Mark an unused refresh token as used and return its session; None if it is used, or none of ours."""
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
) -> tuple[UUID, bool] | None:
    """Return the session of a used refresh token, and whether it was used only just now."""
    # The clock, not the transaction's start: it may have waited for the one that uses the token.
    age = func.clock_timestamp() - refresh_tokens.c.used_at
    query = select(refresh_tokens.c.session_id, (age < grace).label("just_now")).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_at.is_not(None)
    )
    row = (await connection.execute(query)).one_or_none()
    return (row.session_id, row.just_now) if row else None


async def is_unused(connection: AsyncConnection, token_hash: str) -> bool:
    """Tell whether a refresh token is the one that its session has now."""
    query = select(refresh_tokens.c.session_id).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_at.is_(None)
    )
    return (await connection.execute(query)).first() is not None
