"""Accounts that are opened from this machine, past the API: the operator's, and the first administrator's."""

import asyncio
import os

from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.audit.events import Event, Person, record
from api.auth.passwords import hash_password
from api.auth.roles import Role
from api.users import repository
from api.users.schemas import NewUser
from stack.errors import StackError
from stack.secrets import OPERATOR, Secrets

_DEFAULT_COST = 12


def ensure_operator(url: str, secrets: Secrets) -> None:
    """Open the account by which the commands of this machine sign in, if there is none yet."""
    asyncio.run(_ensure_operator(url, secrets))


async def _ensure_operator(url: str, secrets: Secrets) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.connect() as connection:
        operator = await repository.find_by_username(connection, OPERATOR)
    if operator is None:
        new = NewUser(username=OPERATOR, password=secrets.operator, role=Role.STANDARD)
        await _add(url, new)


def renew_operator(url: str, secrets: Secrets) -> None:
    """Give the operator's account, where there is one, the password that this machine's commands know."""
    asyncio.run(_renew_operator(url, secrets))


async def _renew_operator(url: str, secrets: Secrets) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    password_hash = await hash_password(secrets.operator, cost=_cost())
    async with engine.begin() as connection:
        operator = await repository.find_by_username(connection, OPERATOR)
        if operator is not None:
            await repository.set_password_hash(connection, operator.id, password_hash)


def open_account(url: str, *, username: str, email: str | None, password: str, role: Role) -> None:
    """Open an account in the API's database. Raises StackError naming what cannot be, never the password."""
    try:
        new = NewUser(username=username, email=email, password=password, role=role)
    except ValidationError as error:
        wrong = [
            f"{entry['loc'][0]}: {entry['msg'].removeprefix('Value error, ')}" for entry in error.errors()
        ]
        raise StackError("; ".join(wrong)) from None
    try:
        asyncio.run(_add(url, new))
    except IntegrityError:
        raise StackError(
            f"there is an account {username} already; an administrator can change its role"
        ) from None


async def _add(url: str, new: NewUser) -> None:
    password_hash = await hash_password(new.password, cost=_cost())
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True
    )
    async with engine.begin() as connection:
        row = await repository.add(
            connection,
            username=new.username,
            email=new.email,
            password_hash=password_hash,
            role=new.role,
        )
        person = Person(row.id, row.username)
        await record(
            connection,
            Event.USER_CREATED,
            None,
            subject=person,
            detail=f"role {new.role}, on the machine itself",
        )


def _cost() -> int:
    return int(os.environ.get("REGISTRU_BCRYPT_COST", _DEFAULT_COST))
