"""Creates, lists and revokes API keys, and records their use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from api.audit.events import AccountRef, Event, record_event
from api.auth.cache import api_key_key, invalidate
from api.auth.refresh import hash_token
from api.auth.roles import KEY_SCOPES, Scope
from api.keys import repository
from api.keys.key_format import join_key, new_key
from api.keys.schemas import CreatedKey, Key, NewKey
from api.problems import Forbidden, Invalid, NotFound
from api.runtime.client_address import RequestClient

_USE_IS_RECORDED_EVERY = timedelta(minutes=1)
_USE_IS_AUDITED_EVERY = timedelta(hours=1)


async def create(
    users: AsyncEngine, client: RequestClient, new: NewKey, *, owner: AccountRef, allowed: frozenset[Scope]
) -> CreatedKey:
    """Create a key.

    Args:
        users: The API's own database.
        client: The client that sends the request.
        new: The key.
        owner: The account that the key belongs to.
        allowed: The scopes of the owner.

    Raises:
        Invalid: The new key has a scope that no key can have, or it expires in the past.
        Forbidden: The new key has a scope that the owner does not have.
    """
    scopes = sorted(set(new.scopes))
    if new.expires_at is not None and new.expires_at <= datetime.now(UTC):
        raise Invalid("expires_at", "must be in the future")
    if refused := [scope for scope in scopes if scope not in KEY_SCOPES]:
        raise Invalid("scopes", f"an API key cannot have {', '.join(refused)}")
    if refused := [scope for scope in scopes if scope not in allowed]:
        raise Forbidden(f"scopes: your role does not have {', '.join(refused)}")
    prefix, secret = new_key()
    async with users.begin() as connection:
        key = await repository.add(
            connection,
            user_id=owner.id,
            name=new.name,
            prefix=prefix,
            key_hash=hash_token(secret),
            scopes=scopes,
            expires_at=new.expires_at,
        )
        detail = f"key {key.id} ({new.name}): {' '.join(scopes)}"
        await record_event(connection, Event.KEY_CREATED, client, actor=owner, detail=detail)
    return CreatedKey(**Key.model_validate(key).model_dump(), key=join_key(prefix, secret))


async def list_keys(users: AsyncEngine, user_id: UUID) -> list[Key]:
    """Return a user's valid keys, newest first."""
    async with users.connect() as connection:
        return [Key.model_validate(key) for key in await repository.list_valid(connection, user_id)]


async def revoke(
    users: AsyncEngine, state: Redis, client: RequestClient, key_id: UUID, *, owner: AccountRef
) -> None:
    """Revoke a key, immediately and permanently.

    Args:
        users: The API's own database.
        state: Redis's state database.
        client: The client that sends the request.
        key_id: The key.
        owner: The account that the key must belong to.

    Raises:
        NotFound: The owner has no valid key with this id.
    """
    async with users.begin() as connection:
        key = await repository.lock_valid(connection, owner.id, key_id)
        if key is None:
            raise NotFound("you have no API key with this id")
        await invalidate(state, api_key_key(key.prefix))
        await repository.revoke(connection, key_id)
        detail = f"key {key_id} ({key.name})"
        await record_event(connection, Event.KEY_REVOKED, client, actor=owner, detail=detail)


def recorded_use_key(key_id: UUID) -> str:
    """Return the Redis key that exists while the use of an API key need not be recorded again."""
    return f"api_key_noted:{key_id}"


async def record_use(
    users: AsyncEngine, state: Redis, client: RequestClient, key_id: UUID, *, owner: AccountRef
) -> None:
    """Record that a key is used: on the key once a minute, in the audit log once an hour for each address.

    Args:
        users: The API's own database.
        state: Redis's state database.
        client: The client that uses the key.
        key_id: The key.
        owner: The account that the key belongs to.
    """
    is_first = await state.set(recorded_use_key(key_id), "1", ex=_USE_IS_RECORDED_EVERY, nx=True)
    if not is_first:
        return
    is_audited = await state.set(
        f"api_key_audited:{key_id}:{client.network}", "1", ex=_USE_IS_AUDITED_EVERY, nx=True
    )
    async with users.begin() as connection:
        await repository.mark_used(connection, key_id)
        if is_audited:
            await record_event(connection, Event.KEY_USED, client, actor=owner, detail=f"key {key_id}")
