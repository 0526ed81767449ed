"""SQL of accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.roles import Role
from api.users_tables import users


@dataclass(frozen=True)
class Account:
    """An account: a row of the table `users`."""

    id: UUID
    username: str
    email: str | None
    password_hash: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        email=row.email,
        password_hash=row.password_hash,
        role=Role(row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


async def find_by_username(connection: AsyncConnection, username: str) -> Account | None:
    """Return the account with this name, ignoring case; None if there is none."""
    query = select(users).where(func.lower(users.c.username) == func.lower(username))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _account(row)


async def find(
    connection: AsyncConnection, user_id: UUID, *, lock: Literal["share", "update"] | None = None
) -> Account | None:
    """Return the account with this id; None if there is none.

    `lock` locks the account's row until the transaction ends. With `share`, no other transaction can change the
    account. With `update`, none can open a session for the account either, because opening one needs a `share` lock.
    """
    query = select(users).where(users.c.id == user_id)
    if lock is not None:
        query = query.with_for_update(read=lock == "share")
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _account(row)


async def add(
    connection: AsyncConnection, *, username: str, email: str | None, password_hash: str, role: Role
) -> Account:
    """Insert an account and return it.

    Args:
        connection: A transaction in the users database.
        username: A name that no account has, in any case of its letters.
        email: The e-mail address; None for accounts without one.
        password_hash: The bcrypt hash of the password.
        role: The role of the account.

    Raises:
        IntegrityError: The name is taken (SQLAlchemy's exception).
    """
    statement = insert(users).values(
        id=uuid4(), username=username, email=email, password_hash=password_hash, role=role
    )
    return _account((await connection.execute(statement.returning(users))).one())


async def set_password_hash(
    connection: AsyncConnection, user_id: UUID, password_hash: str, *, expected: str | None = None
) -> bool:
    """Replace a password hash. If the current hash is not the `expected` one, change nothing and return False."""
    statement = update(users).where(users.c.id == user_id)
    if expected is not None:
        statement = statement.where(users.c.password_hash == expected)
    return (await connection.execute(statement.values(password_hash=password_hash))).rowcount == 1


async def set_role(connection: AsyncConnection, user_id: UUID, role: Role) -> None:
    """Change the role of an account."""
    await connection.execute(update(users).where(users.c.id == user_id).values(role=role))


async def set_disabled(connection: AsyncConnection, user_id: UUID, *, disabled: bool) -> None:
    """Disable or enable an account."""
    disabled_at = func.now() if disabled else None
    await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=disabled_at))


async def remove(connection: AsyncConnection, user_id: UUID) -> None:
    """Delete an account with its sessions, API keys and requests."""
    await connection.execute(delete(users).where(users.c.id == user_id))


async def lock_admins(connection: AsyncConnection) -> list[UUID]:
    """Lock the rows of the enabled admins, so that no two admins remove each other concurrently; return their ids."""
    query = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.disabled_at.is_(None))
    return list((await connection.execute(query.order_by(users.c.id).with_for_update())).scalars())


async def search(
    connection: AsyncConnection, *, text: str | None, role: Role | None, limit: int, offset: int
) -> tuple[list[Account], int]:
    """Return a page of accounts ordered by name, and the number of all matching accounts.

    Args:
        connection: A connection to the database.
        text: Part of the username or e-mail address; None for all.
        role: Only accounts with this role; None for all.
        limit: Size of the page.
        offset: How many accounts to skip.
    """
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
    return [_account(row) for row in await connection.execute(page)], total
