"""Access tokens: JWT, HS256 and nothing else. Whether the session behind one is still good, others tell."""

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
from warehouse.config.reloadable import SOON_SECONDS, ReloadableSettings

ALGORITHM = "HS256"
ACCESS = "access"
_LONGEST_TOKEN = 2_000
_REMEMBERED = 4_096
_NOT_VALID = "the access token is not valid, or no longer"
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "sub", "jti")}


@dataclass(frozen=True)
class AccessClaims:
    """What a token says that is signed and has not expired."""

    user_id: UUID
    session_id: UUID
    expires_at: int
    """Seconds since 1970."""


class UnknownKey(NotSignedIn):
    """A token names a key that this process does not know: a new one, perhaps, that others have read already."""


class AccessTokens:
    """Verifies access tokens. Remembers those that are good: each comes many times before it expires."""

    def __init__(self, current: ReloadableSettings[ApiSettings]) -> None:
        self._current = current
        self._known = current.settings
        self._verified = self._verifier()
        self._learning = asyncio.Lock()

    def _verifier(self) -> Callable[[str], AccessClaims]:
        return lru_cache(_REMEMBERED)(partial(verify, self._known))

    @property
    def settings(self) -> ApiSettings:
        """The settings with the keys as they were read last."""
        return self._current.settings

    def keys(self) -> list[str]:
        """Return the keys that count; the first one signs."""
        return [key for key, _ in self.settings.signing_keys()]

    async def learn_keys(self) -> None:
        """Read the keys again, because a token names one that is not known, unless that was just done."""
        async with self._learning:  # one at a time: threads are few, and anyone can name a key
            if self._current.seconds_old >= SOON_SECONDS:
                await asyncio.to_thread(self._current.reread_soon)

    def verify(self, token: str) -> AccessClaims:
        """Return what an access token says. Raises NotSignedIn if it is forged, expired or of another type.

        Raises UnknownKey, which is one of those, if it may be worth while to `learn_keys`.
        """
        if self._known is not self.settings:
            # What was remembered may have been signed by a key that counts no more.
            self._known = self.settings
            self._verified = self._verifier()
        claims = self._verified(token)
        if claims.expires_at < int(time.time()):
            raise _invalid()
        return claims


def issue(settings: ApiSettings, *, user_id: UUID, session_id: UUID, role: Role) -> str:
    """Make an access token of a session."""
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
    """Return what an access token says. Raises NotSignedIn if it is forged, expired or of another type."""
    if len(token) > _LONGEST_TOKEN:
        raise _invalid()
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        held = next((each for each in settings.signing_keys() if key_id(each[0]) == kid), None)
        if held is None:
            raise UnknownKey(_NOT_VALID)
        key, retired_at = held
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=_REQUIRED)
        if retired_at is not None:
            _check_age(claims, settings.access_lifetime, retired_at)
        if claims.get("typ") != ACCESS:
            raise NotSignedIn("this is no access token")
        return AccessClaims(UUID(claims["sub"]), UUID(claims["sid"]), int(claims["exp"]))
    except (JWTError, RecursionError, KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def key_id(key: str) -> str:
    """Return the name by which a token says which key signed it; it tells nothing of the key."""
    return sha256(f"kid {key}".encode()).hexdigest()[:16]


def _check_age(claims: dict[str, Any], lifetime: timedelta, retired_at: datetime) -> None:
    """Whoever has an old key could go on signing: it counts only for what it can have signed in its time."""
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if issued_at > retired_at or expires_at - issued_at > lifetime:
        raise JWTError("signed by a key that had been retired")


def _invalid() -> NotSignedIn:
    return NotSignedIn(_NOT_VALID)
