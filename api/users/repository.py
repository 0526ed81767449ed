"""The SQL of accounts."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.tables import users


async def find_by_username(connection: AsyncConnection, username: str) -> Row[Any] | None:
    """Return the account of this name, whatever its case."""
    query = select(users).where(func.lower(users.c.username) == func.lower(username))
    return (await connection.execute(query)).one_or_none()


async def find(connection: AsyncConnection, user_id: UUID) -> Row[Any] | None:
    """Return the account with this id."""
    query = select(users).where(users.c.id == user_id)
    return (await connection.execute(query)).one_or_none()


async def add(
    connection: AsyncConnection, *, username: str, email: str | None, password_hash: str
) -> Row[Any]:
    """Add an account. Raises sqlalchemy's IntegrityError where the name or e-mail is taken."""
    statement = insert(users).values(id=uuid4(), username=username, email=email, password_hash=password_hash)
    row: Row[Any] = (await connection.execute(statement.returning(users))).one()
    return row
