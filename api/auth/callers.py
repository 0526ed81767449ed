"""Verifies a credential (access token, API key or cookie) and loads the caller: an account and its scopes."""

import hmac
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from api.audit.events import AccountRef
from api.auth import repository
from api.auth.cache import (
    CachedAccount,
    CachedApiKey,
    CachedSession,
    account_key,
    api_key_key,
    load_cached,
    read_copy,
    session_key,
)
from api.auth.refresh import hash_token
from api.auth.roles import SCOPES, Role, Scope
from api.auth.sessions import COOKIE_SEPARATOR
from api.auth.tokens import AccessTokens
from api.keys import repository as keys
from api.keys.key_format import split_key
from api.problems import NotSignedIn
from api.users import repository as accounts


@dataclass(frozen=True)
class Caller:
    """The sender of a request: the account, the scopes for this request, and the session or API key."""

    user_id: UUID
    username: str
    role: Role
    scopes: frozenset[Scope]
    session_id: UUID | None = None
    key_id: UUID | None = None

    @property
    def account(self) -> AccountRef:
        """The account as the audit log names it."""
        return AccountRef(self.user_id, self.username)


@dataclass(frozen=True)
class PresentedCredential:
    """A credential of a request that still has to be verified.

    An access token sets `user_id` and `session_id`, a cookie `session_id` and `secret`, an API key `key_prefix` and
    `secret`.
    """

    copies: tuple[str, ...]
    """Redis keys of the cached rows that decide whether the credential is valid."""
    secret: str | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    key_prefix: str | None = None


@dataclass(frozen=True)
class VerifiedCredential:
    """A valid session or API key and its owner. `load_caller` then checks the account."""

    user_id: UUID
    session_id: UUID | None = None
    key: CachedApiKey | None = None


def credential_from_token(tokens: AccessTokens, token: str) -> PresentedCredential:
    """Return the credential in an access token. Raises NotSignedIn if the token is forged or expired."""
    claims = tokens.verify(token)
    return PresentedCredential(
        (session_key(claims.session_id), account_key(claims.user_id)),
        user_id=claims.user_id,
        session_id=claims.session_id,
    )


def credential_from_cookie(cookie: str) -> PresentedCredential:
    """Return the credential in a session cookie. Raises NotSignedIn if the cookie is malformed."""
    name, _, secret = cookie.partition(COOKIE_SEPARATOR)
    try:
        session_id = UUID(name)
    except ValueError:
        raise NotSignedIn("unrecognized session cookie; sign in again") from None
    return PresentedCredential((session_key(session_id),), secret=secret, session_id=session_id)


def credential_from_api_key(api_key: str) -> PresentedCredential:
    """Return the credential in an API key. Raises NotSignedIn if the key is malformed."""
    prefix, secret = split_key(api_key)
    return PresentedCredential((api_key_key(prefix),), secret=secret, key_prefix=prefix)


async def caller_from_cookie(users: AsyncEngine, state: Redis, cookie: str) -> Caller:
    """Return the caller that a session cookie belongs to, for a public page. Raises NotSignedIn."""
    presented = credential_from_cookie(cookie)
    verified = await verify_credential(
        users, state, presented, copy=await read_copy(state, *presented.copies)
    )
    return await load_caller(
        users, state, verified, copy=await read_copy(state, account_key(verified.user_id))
    )


async def verify_credential(
    users: AsyncEngine, state: Redis, presented: PresentedCredential, *, copy: str | None
) -> VerifiedCredential:
    """Verify a credential; return the session or API key that it belongs to.

    `copy` is the copy of the session or key in Redis. Raises NotSignedIn if the session or key is no longer valid or
    the secret is wrong.
    """
    if presented.session_id is None:
        return await _verify_api_key(users, state, presented, copy=copy)
    load = partial(_load_session, users, presented.session_id)
    session = await load_cached(state, presented.copies[0], CachedSession, load, copy=copy)
    if (
        session is None
        or presented.user_id not in (None, session.user_id)
        or not _is_proved(session, presented.secret)
    ):
        raise NotSignedIn("this session has ended; sign in again")
    return VerifiedCredential(session.user_id, session_id=presented.session_id)


async def _verify_api_key(
    users: AsyncEngine, state: Redis, presented: PresentedCredential, *, copy: str | None
) -> VerifiedCredential:
    assert presented.key_prefix is not None
    assert presented.secret is not None
    load = partial(_load_api_key, users, presented.key_prefix)
    key = await load_cached(state, presented.copies[0], CachedApiKey, load, copy=copy)
    if key is None or not hmac.compare_digest(key.key_hash, hash_token(presented.secret)):
        raise NotSignedIn("the API key is unknown, expired or revoked")
    return VerifiedCredential(key.user_id, key=key)


async def load_caller(
    users: AsyncEngine, state: Redis, verified: VerifiedCredential, *, copy: str | None
) -> Caller:
    """Return the caller behind a verified credential.

    `copy` is the copy of the account in Redis. Raises NotSignedIn if the account is disabled or deleted.
    """
    load = partial(_load_account, users, verified.user_id)
    account = await load_cached(state, account_key(verified.user_id), CachedAccount, load, copy=copy)
    if account is None or account.disabled:
        raise NotSignedIn("this account is disabled or deleted")
    scopes, key = SCOPES[account.role], verified.key
    return Caller(
        verified.user_id,
        account.username,
        account.role,
        scopes if key is None else scopes & key.scopes,
        session_id=verified.session_id,
        key_id=None if key is None else key.id,
    )


def _is_proved(session: CachedSession, secret: str | None) -> bool:
    """Return whether a credential with this `secret` is valid for a session.

    For a browser session, it must be the secret in the session's cookie. For an API session, it must be None: only
    access tokens are valid, and they have no secret.
    """
    if session.secret_hash is None or secret is None:
        return session.secret_hash is None and secret is None
    return hmac.compare_digest(session.secret_hash, hash_token(secret))


async def _load_session(users: AsyncEngine, session_id: UUID) -> CachedSession | None:
    async with users.begin() as connection:
        session = await repository.touch(connection, session_id)
    return None if session is None else CachedSession.model_validate(session, from_attributes=True)


async def _load_account(users: AsyncEngine, user_id: UUID) -> CachedAccount | None:
    async with users.connect() as connection:
        account = await accounts.find(connection, user_id)
    if account is None:
        return None
    return CachedAccount(
        username=account.username, role=account.role, disabled=account.disabled_at is not None
    )


async def _load_api_key(users: AsyncEngine, prefix: str) -> CachedApiKey | None:
    async with users.connect() as connection:
        key = await keys.find_by_prefix(connection, prefix)
    return None if key is None else CachedApiKey.model_validate(key, from_attributes=True)
