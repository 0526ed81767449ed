"""Copies of sessions, accounts and API keys in Redis, so that most requests need no SQL.

PostgreSQL is authoritative; Redis holds copies for a few minutes. Code that changes a row first overwrites its copy
with a marker that means "ask PostgreSQL" (`invalidate`), then commits. A reader that finds no copy reads PostgreSQL
and stores one, but never over an existing entry. The marker therefore stops a reader that read the row before the
change from storing an outdated copy. So no copy admits a caller whose access was revoked, whatever the order of
concurrent steps, and even if Redis loses its data.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from api.auth.roles import Role, Scope

_ASK_POSTGRESQL = "?"
_ENDED = "-"
_MARKER_SECONDS = 120
"""Lifetime of a marker: longer than any request takes between reading PostgreSQL and storing a copy."""
_COPY_LIFETIME = timedelta(minutes=5)
"""Lifetime of a copy: short, so that old copies soon expire after Redis was restored from a backup."""


class CachedRow(BaseModel):
    """The copy of a row. The session or API key is valid until `expires_at`; the copy may expire earlier."""

    model_config = ConfigDict(frozen=True)

    expires_at: datetime | None = None


class CachedSession(CachedRow):
    """An open session. `secret_hash` is the hash of the secret in its cookie; None for an API session."""

    user_id: UUID
    secret_hash: str | None


class CachedAccount(CachedRow):
    """An account."""

    username: str
    role: Role
    disabled: bool


class CachedApiKey(CachedRow):
    """An API key that is not revoked."""

    id: UUID
    user_id: UUID
    key_hash: str
    scopes: frozenset[Scope]


AnyCachedRow = TypeVar("AnyCachedRow", bound=CachedRow)


def session_key(session_id: UUID) -> str:
    """Return the Redis key of a session."""
    return f"session:{session_id}"


def account_key(user_id: UUID) -> str:
    """Return the Redis key of an account."""
    return f"account:{user_id}"


def api_key_key(prefix: str) -> str:
    """Return the Redis key for the copy of the API key with this prefix."""
    return f"api_key:{prefix}"


async def read_copy(state: Redis, key: str) -> str | None:
    """Return the text that Redis holds under a key."""
    copy = await state.get(key)
    return None if copy is None else str(copy)


async def load_cached(
    state: Redis,
    key: str,
    model: type[AnyCachedRow],
    load: Callable[[], Awaitable[AnyCachedRow | None]],
    *,
    copy: str | None,
) -> AnyCachedRow | None:
    """Return a row from its copy in Redis. Without a usable copy, read PostgreSQL and store a new copy.

    If there is no valid row, that is cached too, because an ended session or a revoked key never becomes valid again.

    Args:
        state: Redis's state database.
        key: Redis key of the copy.
        model: Type of the row.
        load: Reads the row from PostgreSQL; returns None if there is no valid one.
        copy: What Redis holds under `key`, already read by the caller.

    Returns:
        The row, or None if it does not exist or has expired.
    """
    if copy == _ENDED:
        return None
    row = _parse(model, copy)
    if row is None:
        row = await load()
        if row is None:
            await state.set(key, _ENDED, ex=_COPY_LIFETIME)
        elif (left := _time_left(row)) >= timedelta(seconds=1):
            await state.set(key, row.model_dump_json(), ex=left, nx=True)
    return None if row is None or _time_left(row) <= timedelta(0) else row


async def invalidate(state: Redis, *keys: str) -> None:
    """Replace copies by a marker, so that every process reads PostgreSQL. Call this before the rows change."""
    async with state.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.set(key, _ASK_POSTGRESQL, ex=_MARKER_SECONDS)
        await pipeline.execute()


@lru_cache(4_096)
def _parse(model: type[AnyCachedRow], copy: str | None) -> AnyCachedRow | None:
    if copy is None or copy == _ASK_POSTGRESQL:
        return None
    try:
        return model.model_validate_json(copy)
    except ValidationError:  # another version of this program stored it
        return None


def _time_left(row: CachedRow) -> timedelta:
    return (
        _COPY_LIFETIME if row.expires_at is None else min(_COPY_LIFETIME, row.expires_at - datetime.now(UTC))
    )
