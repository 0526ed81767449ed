"""What Redis holds of sessions, accounts and API keys, so that a request costs no SQL.

PostgreSQL is the truth; Redis holds copies for a few minutes. Whoever is about to change the truth first writes
"ask PostgreSQL" over the copy (`distrust`), then commits. Who finds no copy reads PostgreSQL and leaves one, but
never over something that is there. So no interleaving, and no loss of Redis, leaves a copy that lets in somebody
who is out: a copy made of what was read before the change finds `distrust`'s mark in its place.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from api.auth.roles import Role, Scope

_ASK = "?"
_OVER = "-"
_ASK_SECONDS = 120
"""Longer than anyone can take between reading PostgreSQL and writing a copy."""
_HELD_FOR = timedelta(minutes=5)
"""So that even a Redis put back from an old backup is soon put right."""


class Fact(BaseModel):
    """A copy of a row; `expires_at` is when it ends by itself."""

    model_config = ConfigDict(frozen=True)

    expires_at: datetime | None = None


class SessionFact(Fact):
    """A session that is open; `secret_hash` is its cookie's, if it is a browser's."""

    user_id: UUID
    secret_hash: str | None


class AccountFact(Fact):
    """An account."""

    username: str
    role: Role
    disabled: bool


class KeyFact(Fact):
    """An API key that was not revoked."""

    id: UUID
    user_id: UUID
    key_hash: str
    scopes: frozenset[Scope]


AnyFact = TypeVar("AnyFact", bound=Fact)


def session_key(session_id: UUID) -> str:
    """Redis key of a session."""
    return f"session:{session_id}"


def account_key(user_id: UUID) -> str:
    """Redis key of an account."""
    return f"account:{user_id}"


def api_key_key(prefix: str) -> str:
    """Redis key of an API key, by its prefix."""
    return f"api_key:{prefix}"


async def copy(state: Redis, key: str) -> str | None:
    """Return what Redis holds under a key."""
    held = await state.get(key)
    return None if held is None else str(held)


async def recall(
    state: Redis,
    key: str,
    model: type[AnyFact],
    load: Callable[[], Awaitable[AnyFact | None]],
    *,
    held: str | None,
) -> AnyFact | None:
    """Return a fact from the copy `held` under `key`, else from PostgreSQL (`load`), leaving a copy.

    None if there is no such thing any more: what has ended never begins again, so that is remembered too.
    """
    if held == _OVER:
        return None
    fact = _read(model, held)
    if fact is None:
        fact = await load()
        if fact is None:
            await state.set(key, _OVER, ex=_HELD_FOR)
        elif (left := _time_left(fact)) >= timedelta(seconds=1):
            await state.set(key, fact.model_dump_json(), ex=left, nx=True)
    return None if fact is None or _time_left(fact) <= timedelta(0) else fact


async def invalidate(state: Redis, *keys: str) -> None:
    """Have everybody ask PostgreSQL about these for a while; to be called before what they say changes."""
    async with state.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.set(key, _ASK, ex=_ASK_SECONDS)
        await pipeline.execute()


@lru_cache(4_096)
def _read(model: type[AnyFact], held: str | None) -> AnyFact | None:
    if held is None or held == _ASK:
        return None
    try:
        return model.model_validate_json(held)
    except ValidationError:  # another version of this program wrote it
        return None


def _time_left(fact: Fact) -> timedelta:
    return _HELD_FOR if fact.expires_at is None else min(_HELD_FOR, fact.expires_at - datetime.now(UTC))
