"""The SQL of API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.roles import Scope
from api.users_tables import api_keys

_IS_GOOD = and_(
    api_keys.c.revoked_at.is_(None),
    or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now()),
)


async def add(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    name: str,
    prefix: str,
    key_hash: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
) -> Row[Any]:
    """Add a key."""
    statement = insert(api_keys).values(
        id=uuid4(),
        user_id=user_id,
        name=name,
        prefix=prefix,
        key_hash=key_hash,
        scopes=list(scopes),
        expires_at=expires_at,
    )
    row: Row[Any] = (await connection.execute(statement.returning(api_keys))).one()
    return row


async def find_by_prefix(connection: AsyncConnection, prefix: str) -> Row[Any] | None:
    """Return a key that is good."""
    query = select(api_keys).where(api_keys.c.prefix == prefix, _IS_GOOD)
    return (await connection.execute(query)).one_or_none()


async def list_good(connection: AsyncConnection, user_id: UUID) -> Sequence[Row[Any]]:
    """Return a user's keys that are good, the newest first."""
    query = select(api_keys).where(api_keys.c.user_id == user_id, _IS_GOOD)
    return (await connection.execute(query.order_by(api_keys.c.created_at.desc(), api_keys.c.id))).all()


async def find_good(connection: AsyncConnection, user_id: UUID, key_id: UUID) -> Row[Any] | None:
    """Return a user's key by its id, locked."""
    query = select(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.id == key_id, _IS_GOOD)
    return (await connection.execute(query.with_for_update())).one_or_none()


async def revoke(connection: AsyncConnection, key_id: UUID) -> None:
    """Revoke a key, for good."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=func.now()))


async def mark_used(connection: AsyncConnection, key_id: UUID) -> None:
    """Write down that a key is used now."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=func.now()))
