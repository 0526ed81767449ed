"""Making, listing, revoking API keys; noting their use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from api.audit.events import AccountRef, Event, record_event
from api.auth.cache import api_key_key, invalidate
from api.auth.refresh import hash_token
from api.auth.roles import KEY_SCOPES, Scope
from api.keys import repository
from api.keys.key_format import join_key, new_key
from api.keys.schemas import CreatedKey, Key, NewKey
from api.problems import Forbidden, Invalid, NotFound
from api.runtime.client_address import RequestClient
from api.services import Services

_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_USE_IS_AUDITED_EVERY = timedelta(hours=1)


async def create(
    services: Services, client: RequestClient, asked: NewKey, *, owner: AccountRef, allowed: frozenset[Scope]
) -> CreatedKey:
    """Make a key. Raises Invalid, or Forbidden for a scope that the owner does not have."""
    scopes = sorted(set(asked.scopes))
    if asked.expires_at is not None and asked.expires_at <= datetime.now(UTC):
        raise Invalid("expires_at", "lies in the past")
    if refused := [scope for scope in scopes if scope not in KEY_SCOPES]:
        raise Invalid("scopes", f"an API key cannot have {', '.join(refused)}")
    if refused := [scope for scope in scopes if scope not in allowed]:
        raise Forbidden(f"your role does not have {', '.join(refused)} to give")
    prefix, secret = new_key()
    async with services.users.begin() as connection:
        row = await repository.add(
            connection,
            user_id=owner.id,
            name=asked.name,
            prefix=prefix,
            key_hash=hash_token(secret),
            scopes=scopes,
            expires_at=asked.expires_at,
        )
        detail = f"key {row.id} ({asked.name}): {' '.join(scopes)}"
        await record_event(connection, Event.KEY_CREATED, client, actor=owner, detail=detail)
    return CreatedKey(**Key.model_validate(row).model_dump(), key=join_key(prefix, secret))


async def list_keys(services: Services, user_id: UUID) -> list[Key]:
    """Return a user's keys that are good, the newest first."""
    async with services.users.connect() as connection:
        return [Key.model_validate(row) for row in await repository.list_good(connection, user_id)]


async def revoke(services: Services, client: RequestClient, key_id: UUID, *, owner: AccountRef) -> None:
    """Revoke a key, at once and for good. Raises NotFound."""
    async with services.users.begin() as connection:
        row = await repository.find_good(connection, owner.id, key_id)
        if row is None:
            raise NotFound("you have no API key with this id")
        await invalidate(services.state, api_key_key(row.prefix))
        await repository.revoke(connection, key_id)
        detail = f"key {key_id} ({row.name})"
        await record_event(connection, Event.KEY_REVOKED, client, actor=owner, detail=detail)


def noted_key(key_id: UUID) -> str:
    """Redis key that is there while a key's use need not be written down again."""
    return f"api_key_noted:{key_id}"


async def note_use(services: Services, client: RequestClient, key_id: UUID, *, owner: AccountRef) -> None:
    """Write down that a key is used: on the key once a minute, in the audit log once an hour."""
    noted = await services.state.set(noted_key(key_id), "1", ex=_USE_IS_NOTED_EVERY, nx=True)
    if not noted:
        return
    audited = await services.state.set(
        f"api_key_audited:{key_id}:{client.network}", "1", ex=_USE_IS_AUDITED_EVERY, nx=True
    )
    async with services.users.begin() as connection:
        await repository.mark_used(connection, key_id)
        if audited:
            await record_event(connection, Event.KEY_USED, client, actor=owner, detail=f"key {key_id}")
