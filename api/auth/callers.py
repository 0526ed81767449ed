"""Who is calling: from an access token, an API key or the browser's cookie to an account and what it may do."""

import hmac
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from api.audit.events import AccountRef
from api.auth import repository
from api.auth.cache import (
    AccountFact,
    KeyFact,
    SessionFact,
    account_key,
    api_key_key,
    copy,
    recall,
    session_key,
)
from api.auth.refresh import hash_token
from api.auth.roles import SCOPES, Role, Scope
from api.auth.sessions import COOKIE_SEPARATOR
from api.keys import repository as keys
from api.keys.key_format import split_key
from api.problems import NotSignedIn
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
    def account(self) -> AccountRef:
        """The account, as the audit log names it."""
        return AccountRef(self.user_id, self.username)


@dataclass(frozen=True)
class Claim:
    """Who somebody says they are: by a session's token, which names its user, by its cookie, or by an API key."""

    copies: tuple[str, ...]
    """Redis keys of what tells whether it is true."""
    secret: str | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    key_prefix: str | None = None


@dataclass(frozen=True)
class Holder:
    """Whose session or API key it is; whether the account is still good, its own copy tells."""

    user_id: UUID
    session_id: UUID | None = None
    key: KeyFact | None = None


def by_token(services: Services, token: str) -> Claim:
    """Return who holds an access token. Raises NotSignedIn if it is forged or expired."""
    claims = services.tokens.verify(token)
    return Claim(
        (session_key(claims.session_id), account_key(claims.user_id)),
        user_id=claims.user_id,
        session_id=claims.session_id,
    )


def by_cookie(cookie: str) -> Claim:
    """Return whose browser holds a cookie. Raises NotSignedIn if it can be none of ours."""
    name, _, secret = cookie.partition(COOKIE_SEPARATOR)
    try:
        session_id = UUID(name)
    except ValueError:
        raise NotSignedIn("the cookie is none of ours") from None
    return Claim((session_key(session_id),), secret=secret, session_id=session_id)


def by_api_key(api_key: str) -> Claim:
    """Return which API key this is. Raises NotSignedIn if it can be none of ours."""
    prefix, secret = split_key(api_key)
    return Claim((api_key_key(prefix),), secret=secret, key_prefix=prefix)


async def in_browser(services: Services, cookie: str) -> Caller:
    """Return whose browser holds a cookie, for a page that anyone may see. Raises NotSignedIn."""
    claim = by_cookie(cookie)
    holder = await prove(services, claim, await copy(services.state, *claim.copies))
    return await caller(services, holder, await copy(services.state, account_key(holder.user_id)))


async def prove(services: Services, claim: Claim, held: str | None) -> Holder:
    """Return whose session or key it is, by the copy `held`. Raises NotSignedIn if it is over or the proof is wrong."""
    if claim.session_id is None:
        return await _prove_key(services, claim, held)
    load = partial(_load_session, services, claim.session_id)
    fact = await recall(services.state, claim.copies[0], SessionFact, load, held=held)
    if fact is None or claim.user_id not in (None, fact.user_id) or not _has_proof(fact, claim.secret):
        raise NotSignedIn("this session is over; sign in again")
    return Holder(fact.user_id, session_id=claim.session_id)


async def _prove_key(services: Services, claim: Claim, held: str | None) -> Holder:
    assert claim.key_prefix is not None
    assert claim.secret is not None
    load = partial(_load_key, services, claim.key_prefix)
    fact = await recall(services.state, claim.copies[0], KeyFact, load, held=held)
    if fact is None or not hmac.compare_digest(fact.key_hash, hash_token(claim.secret)):
        raise NotSignedIn("the API key is not valid, or no longer")
    return Holder(fact.user_id, key=fact)


async def caller(services: Services, holder: Holder, held: str | None) -> Caller:
    """Return who is calling, by the copy `held` of their account. Raises NotSignedIn if it can no longer be used."""
    load = partial(_load_account, services, holder.user_id)
    account = await recall(services.state, account_key(holder.user_id), AccountFact, load, held=held)
    if account is None or account.disabled:
        raise NotSignedIn("this account can no longer be used")
    scopes, key = SCOPES[account.role], holder.key
    return Caller(
        holder.user_id,
        account.username,
        account.role,
        scopes if key is None else scopes & key.scopes,
        session_id=holder.session_id,
        key_id=None if key is None else key.id,
    )


def _has_proof(fact: SessionFact, secret: str | None) -> bool:
    """A browser's session is proved by the cookie's secret, any other by its signed token."""
    if fact.secret_hash is None or secret is None:
        return fact.secret_hash is None and secret is None
    return hmac.compare_digest(fact.secret_hash, hash_token(secret))


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
