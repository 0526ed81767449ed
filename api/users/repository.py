"""The SQL of accounts."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.roles import Role
from api.users_tables import users


async def find_by_username(connection: AsyncConnection, username: str) -> Row[Any] | None:
    """Return the account of this name, whatever its case."""
    query = select(users).where(func.lower(users.c.username) == func.lower(username))
    return (await connection.execute(query)).one_or_none()


async def find(
    connection: AsyncConnection, user_id: UUID, *, lock: Literal["share", "update"] | None = None
) -> Row[Any] | None:
    """Return the account with this id; locked, no session can be opened (`update`), or it cannot change (`share`)."""
    query = select(users).where(users.c.id == user_id)
    if lock is not None:
        query = query.with_for_update(read=lock == "share")
    return (await connection.execute(query)).one_or_none()


async def add(
    connection: AsyncConnection, *, username: str, email: str | None, password_hash: str, role: Role
) -> Row[Any]:
    """Add an account. Raises sqlalchemy's IntegrityError where the name is taken."""
    statement = insert(users).values(
        id=uuid4(), username=username, email=email, password_hash=password_hash, role=role
    )
    row: Row[Any] = (await connection.execute(statement.returning(users))).one()
    return row


async def set_password_hash(
    connection: AsyncConnection, user_id: UUID, password_hash: str, *, instead_of: str | None = None
) -> bool:
    """Replace a hash; False if it is no longer the one (`instead_of`) that was looked at."""
    statement = update(users).where(users.c.id == user_id)
    if instead_of is not None:
        statement = statement.where(users.c.password_hash == instead_of)
    return (await connection.execute(statement.values(password_hash=password_hash))).rowcount == 1


async def set_role(connection: AsyncConnection, user_id: UUID, role: Role) -> None:
    """Change what an account may do."""
    await connection.execute(update(users).where(users.c.id == user_id).values(role=role))


async def set_disabled(connection: AsyncConnection, user_id: UUID, *, disabled: bool) -> None:
    """Shut an account out, or let it in again."""
    disabled_at = func.now() if disabled else None
    await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=disabled_at))


async def remove(connection: AsyncConnection, user_id: UUID) -> None:
    """Delete an account with its sessions, API keys and requests."""
    await connection.execute(delete(users).where(users.c.id == user_id))


async def lock_admins(connection: AsyncConnection) -> list[UUID]:
    """Return the admins who can sign in, locked, so that no two of them remove each other at once."""
    query = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.disabled_at.is_(None))
    return list((await connection.execute(query.order_by(users.c.id).with_for_update())).scalars())


async def search(
    connection: AsyncConnection, *, text: str | None, role: Role | None, limit: int, offset: int
) -> tuple[Sequence[Row[Any]], int]:
    """Return a page of accounts by name, and how many there are in all. `text` is part of name or e-mail."""
    query = select(users)
    if text:
        query = query.where(
            or_(
                users.c.username.icontains(text, autoescape=True),
                users.c.email.icontains(text, autoescape=True),
            )
        )
    if role is not None:
        query = query.where(users.c.role == role)
    total = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    page = query.order_by(func.lower(users.c.username)).limit(limit).offset(offset)
    return (await connection.execute(page)).all(), total
