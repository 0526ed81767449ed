"""SQL of API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.roles import Scope
from api.users_tables import api_keys

_IS_VALID = and_(
    api_keys.c.revoked_at.is_(None),
    or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now()),
)


@dataclass(frozen=True)
class ApiKey:
    """An API key: a row of the table `api_keys`."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    key_hash: str
    """SHA-256 of the secret."""
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        prefix=row.prefix,
        key_hash=row.key_hash,
        scopes=tuple(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
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
) -> ApiKey:
    """Insert a key and return it.

    Args:
        connection: A connection in a transaction.
        user_id: The key's owner.
        name: What the key is for.
        prefix: The part of the key that identifies it.
        key_hash: SHA-256 of the key's secret.
        scopes: What the key allows.
        expires_at: When it expires; None for never.
    """
    statement = insert(api_keys).values(
        id=uuid4(),
        user_id=user_id,
        name=name,
        prefix=prefix,
        key_hash=key_hash,
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return _api_key((await connection.execute(statement.returning(api_keys))).one())


async def find_by_prefix(connection: AsyncConnection, prefix: str) -> ApiKey | None:
    """Return the valid key with this prefix; None if there is none."""
    query = select(api_keys).where(api_keys.c.prefix == prefix, _IS_VALID)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _api_key(row)


async def list_valid(connection: AsyncConnection, user_id: UUID) -> list[ApiKey]:
    """Return a user's valid keys, newest first."""
    query = select(api_keys).where(api_keys.c.user_id == user_id, _IS_VALID)
    rows = await connection.execute(query.order_by(api_keys.c.created_at.desc(), api_keys.c.id))
    return [_api_key(row) for row in rows]


async def lock_valid(connection: AsyncConnection, user_id: UUID, key_id: UUID) -> ApiKey | None:
    """Return a user's valid key with this id, and lock its row."""
    query = select(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.id == key_id, _IS_VALID)
    row = (await connection.execute(query.with_for_update())).one_or_none()
    return None if row is None else _api_key(row)


async def revoke(connection: AsyncConnection, key_id: UUID) -> None:
    """Revoke a key permanently."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=func.now()))


async def mark_used(connection: AsyncConnection, key_id: UUID) -> None:
    """Set a key's last use to now."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=func.now()))
