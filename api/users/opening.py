"""Creates accounts directly in the database, without the API: the first administrator's and the operator's."""

import asyncio
import os

from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from api.audit.events import AccountRef, Event, record_event
from api.auth.passwords import hash_password
from api.auth.roles import Role
from api.users import repository
from api.users.schemas import NewUser

_DEFAULT_COST = 12


class AccountRefused(Exception):
    """An account cannot be created; the message gives the reason, never the password."""


def open_account(url: str, *, username: str, email: str | None, password: str, role: Role) -> None:
    """Create an account in the API's own database.

    Args:
        url: PostgreSQL URL of the database, with the API's role.
        username: Name of the account.
        email: E-mail address of the account's owner, if known.
        password: Password of the account.
        role: Role of the account.

    Raises:
        AccountRefused: A value is not allowed, the name is taken, or the database does not answer.
    """
    try:
        new = NewUser(username=username, email=email, password=password, role=role)
    except ValidationError as error:
        reasons = [
            f"{entry['loc'][0]}: {entry['msg'].removeprefix('Value error, ')}" for entry in error.errors()
        ]
        raise AccountRefused("; ".join(reasons)) from None
    try:
        asyncio.run(_add(url, new))
    except IntegrityError:
        raise AccountRefused(
            f"the account {username} already exists; an administrator can change its role"
        ) from None
    except (OperationalError, OSError) as error:
        raise AccountRefused(f"the database of accounts does not answer ({type(error).__name__})") from None


def is_taken(url: str, username: str) -> bool:
    """Return whether an account with this name exists."""
    return asyncio.run(_is_taken(url, username))


async def _is_taken(url: str, username: str) -> bool:
    async with _engine(url).connect() as connection:
        return await repository.find_by_username(connection, username) is not None


def set_password(url: str, *, username: str, password: str) -> None:
    """Replace the password of an account, if an account with this name exists."""
    asyncio.run(_set_password(url, username, password))


async def _set_password(url: str, username: str, password: str) -> None:
    password_hash = await _hash(password)
    async with _engine(url).begin() as connection:
        account = await repository.find_by_username(connection, username)
        if account is not None:
            await repository.set_password_hash(connection, account.id, password_hash)


async def _add(url: str, new: NewUser) -> None:
    password_hash = await _hash(new.password)
    async with _engine(url).begin() as connection:
        account = await repository.add(
            connection,
            username=new.username,
            email=new.email,
            password_hash=password_hash,
            role=new.role,
        )
        await record_event(
            connection,
            Event.USER_CREATED,
            None,
            subject=AccountRef(account.id, account.username),
            detail=f"role {new.role}, on the machine itself",
        )


async def _hash(password: str) -> str:
    return await hash_password(password, cost=int(os.environ.get("REGISTRU_BCRYPT_COST", _DEFAULT_COST)))


def _engine(url: str) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True
    )
