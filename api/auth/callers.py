"""Who is calling: from an access token, an API key or the browser's cookie to an account and what it may do."""

import hmac
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from api.audit.events import Person
from api.auth import repository, tokens
from api.auth.refresh import hash_token
from api.auth.roles import SCOPES, Role, Scope
from api.auth.sessions import COOKIE_SEPARATOR
from api.auth.state import (
    AccountFact,
    KeyFact,
    SessionFact,
    account_key,
    api_key_key,
    copies,
    recall,
    session_key,
)
from api.errors import NotSignedIn
from api.keys import repository as keys
from api.keys.secrets import split_key
from api.services import Services
from api.users import repository as users


@dataclass(frozen=True)
class Caller:
    """Who is calling, what they may do, and by which session or API key."""

    user_id: UUID
    username: str
    role: Role
    scopes: frozenset[Scope]
    session_id: UUID | None = None
    key_id: UUID | None = None

    @property
    def person(self) -> Person:
        """The account, as the audit log names it."""
        return Person(self.user_id, self.username)


async def by_token(services: Services, token: str) -> Caller:
    """Return who holds an access token. Raises NotSignedIn if it is forged, expired, or its session is over."""
    claims = tokens.verify(services.settings, token)
    return await _by_session(services, claims.session_id, user_id=claims.user_id, secret=None)


async def by_cookie(services: Services, cookie: str) -> Caller:
    """Return whose browser holds a cookie. Raises NotSignedIn."""
    name, _, secret = cookie.partition(COOKIE_SEPARATOR)
    try:
        session_id = UUID(name)
    except ValueError:
        raise NotSignedIn("the cookie is none of ours") from None
    return await _by_session(services, session_id, user_id=None, secret=secret)


async def by_api_key(services: Services, api_key: str) -> Caller:
    """Return whose API key this is. Raises NotSignedIn if it is not known, revoked or expired."""
    prefix, secret = split_key(api_key)
    [held] = await copies(services.state, api_key_key(prefix))
    fact = await recall(
        services.state, api_key_key(prefix), KeyFact, partial(_load_key, services, prefix), held=held
    )
    if fact is None or not hmac.compare_digest(fact.key_hash, hash_token(secret)):
        raise NotSignedIn("the API key is not valid, or no longer")
    [held] = await copies(services.state, account_key(fact.user_id))
    account = await _account(services, fact.user_id, held)
    return Caller(
        fact.user_id, account.username, account.role, SCOPES[account.role] & fact.scopes, key_id=fact.id
    )


async def _by_session(
    services: Services, session_id: UUID, *, user_id: UUID | None, secret: str | None
) -> Caller:
    key = session_key(session_id)
    # A token says whose it is, so that both copies come in one round trip; a cookie does not.
    asked = [key] if user_id is None else [key, account_key(user_id)]
    held, *held_account = await copies(services.state, *asked)
    load = partial(_load_session, services, session_id)
    fact = await recall(services.state, key, SessionFact, load, held=held)
    if fact is None or user_id not in (None, fact.user_id) or not _has_proof(fact, secret):
        raise NotSignedIn("this session is over; sign in again")
    held_account = held_account or await copies(services.state, account_key(fact.user_id))
    account = await _account(services, fact.user_id, held_account[0])
    return Caller(fact.user_id, account.username, account.role, SCOPES[account.role], session_id=session_id)


def _has_proof(fact: SessionFact, secret: str | None) -> bool:
    """A browser's session is proved by the cookie's secret, any other by its signed token."""
    if fact.secret_hash is None or secret is None:
        return fact.secret_hash is None and secret is None
    return hmac.compare_digest(fact.secret_hash, hash_token(secret))


async def _account(services: Services, user_id: UUID, held: str | None) -> AccountFact:
    load = partial(_load_account, services, user_id)
    account = await recall(services.state, account_key(user_id), AccountFact, load, held=held)
    if account is None or account.disabled:
        raise NotSignedIn("this account can no longer be used")
    return account


async def _load_session(services: Services, session_id: UUID) -> SessionFact | None:
    async with services.users.begin() as connection:
        row = await repository.touch(connection, session_id)
    return row and SessionFact.model_validate(row, from_attributes=True)


async def _load_account(services: Services, user_id: UUID) -> AccountFact | None:
    async with services.users.connect() as connection:
        row = await users.find(connection, user_id)
    return row and AccountFact(username=row.username, role=Role(row.role), disabled=bool(row.disabled_at))


async def _load_key(services: Services, prefix: str) -> KeyFact | None:
    async with services.users.connect() as connection:
        row = await keys.find_by_prefix(connection, prefix)
    return row and KeyFact.model_validate(row, from_attributes=True)
