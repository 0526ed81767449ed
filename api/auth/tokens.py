"""Access tokens: JWTs signed with HS256, no other algorithm.

`api.auth.callers` checks whether the session of a token is open.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from jose import JWTError, jwt

from api.auth.roles import Role
from api.problems import NotSignedIn
from api.settings import ApiSettings
from warehouse.config.reloadable import MIN_RELOAD_SECONDS, ReloadableSettings

ALGORITHM = "HS256"
ACCESS = "access"
_LONGEST_TOKEN = 2_000
_CACHED_TOKENS = 4_096
_NOT_VALID = "the access token is invalid or expired"
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "sub", "jti")}


@dataclass(frozen=True)
class AccessClaims:
    """The claims of a token whose signature and expiry were verified."""

    user_id: UUID
    session_id: UUID
    expires_at: int
    """Seconds since 1970."""


class UnknownKey(NotSignedIn):
    """A token names a signing key that this process does not know; others may already sign with a newer key."""


class AccessTokens:
    """Verifies access tokens, and caches those that are valid: each is sent many times before it expires."""

    def __init__(self, current: ReloadableSettings[ApiSettings]) -> None:
        self._current = current
        self._verified_with = current.settings
        self._verify_cached = self._new_cache()
        self._learning = asyncio.Lock()

    def _new_cache(self) -> Callable[[str], AccessClaims]:
        return lru_cache(_CACHED_TOKENS)(partial(verify, self._verified_with))

    @property
    def settings(self) -> ApiSettings:
        """The settings as they were loaded last, with the signing keys."""
        return self._current.settings

    def keys(self) -> list[str]:
        """Return the valid signing keys; new tokens are signed with the first one."""
        return [key for key, _ in self.settings.signing_keys()]

    async def learn_keys(self) -> None:
        """Reload the settings because a token names an unknown key, unless they were reloaded just now."""
        async with self._learning:  # one reload at a time: threads are few, and any client can cause reloads
            if self._current.age_seconds >= MIN_RELOAD_SECONDS:
                await asyncio.to_thread(self._current.reload_after_refusal)

    def verify(self, token: str) -> AccessClaims:
        """Return the claims of an access token.

        Raises:
            UnknownKey: The token names an unknown key; `learn_keys` may help. It is a NotSignedIn too.
            NotSignedIn: The token is forged, expired or of another type.
        """
        if self._verified_with is not self.settings:
            # Start with an empty cache: a cached token may be signed with a key that is no longer valid.
            self._verified_with = self.settings
            self._verify_cached = self._new_cache()
        claims = self._verify_cached(token)
        if claims.expires_at < int(time.time()):
            raise _invalid()
        return claims


def issue(settings: ApiSettings, *, user_id: UUID, session_id: UUID, role: Role) -> str:
    """Return a new access token of a session."""
    now = datetime.now(UTC)
    claims = {
        "sub": str(user_id),
        "jti": uuid4().hex,
        "sid": str(session_id),
        "iat": now,
        "exp": now + settings.access_lifetime,
        "typ": ACCESS,
        "role": role,
    }
    key, _ = settings.signing_keys()[0]
    return str(jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key)}))


def verify(settings: ApiSettings, token: str) -> AccessClaims:
    """Return the claims of an access token. Raises NotSignedIn if it is forged, expired or of another type."""
    if len(token) > _LONGEST_TOKEN:
        raise _invalid()
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        signing_key = next((pair for pair in settings.signing_keys() if key_id(pair[0]) == kid), None)
        if signing_key is None:
            raise UnknownKey(_NOT_VALID)
        key, retired_at = signing_key
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=_REQUIRED)
        if retired_at is not None:
            _check_age(claims, settings.access_lifetime, retired_at)
        if claims.get("typ") != ACCESS:
            raise NotSignedIn("this token is not an access token")
        return AccessClaims(UUID(claims["sub"]), UUID(claims["sid"]), int(claims["exp"]))
    except (JWTError, RecursionError, KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def key_id(key: str) -> str:
    """Return the id by which a token's header (`kid`) names a signing key; it reveals nothing about the key."""
    return sha256(f"kid {key}".encode()).hexdigest()[:16]


def _check_age(claims: dict[str, Any], lifetime: timedelta, retired_at: datetime) -> None:
    """Check a token that was signed with a retired key.

    Raises JWTError if the token was issued after `retired_at`, or is valid for longer than `lifetime`. Without this
    check, an attacker with a retired key could continue to sign tokens.
    """
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if issued_at > retired_at or expires_at - issued_at > lifetime:
        raise JWTError("signed with a retired key")


def _invalid() -> NotSignedIn:
    return NotSignedIn(_NOT_VALID)
