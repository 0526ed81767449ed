"""Access tokens: JWT (HS256), good while their signature is right and Redis holds them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from jose import JWTError, jwt
from redis.asyncio import Redis

from api.errors import NotSignedIn
from api.settings import ApiSettings
from warehouse.contract import token_key

ALGORITHM = "HS256"
ACCESS = "access"
_LONGEST_TOKEN = 2_000
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "sub", "jti")}


@dataclass(frozen=True)
class Caller:
    """Who is calling, and by which token."""

    user_id: UUID
    username: str
    jti: str


async def issue(state: Redis, settings: ApiSettings, *, user_id: UUID, username: str) -> str:
    """Make an access token and sign it in."""
    now, lifetime, jti = datetime.now(UTC), timedelta(minutes=settings.access_minutes), uuid4().hex
    claims = {"sub": str(user_id), "jti": jti, "iat": now, "exp": now + lifetime, "typ": ACCESS}
    await state.set(token_key(jti), f"{user_id} {username}", ex=lifetime)
    return str(jwt.encode(claims, settings.jwt_secret.get_secret_value(), algorithm=ALGORITHM))


async def verify(state: Redis, settings: ApiSettings, token: str) -> Caller:
    """Return who holds a token. Raises NotSignedIn if it is forged, expired, or signed out."""
    if len(token) > _LONGEST_TOKEN:
        raise NotSignedIn("the access token is not valid, or no longer")
    try:
        claims = jwt.decode(
            token, settings.jwt_secret.get_secret_value(), algorithms=[ALGORITHM], options=_REQUIRED
        )
    except (JWTError, RecursionError):
        raise NotSignedIn("the access token is not valid, or no longer") from None
    if claims.get("typ") != ACCESS:
        raise NotSignedIn("this is no access token")
    held = str(await state.get(token_key(claims["jti"])) or "")
    user_id, _, username = held.partition(" ")
    if not user_id or user_id != claims["sub"]:
        raise NotSignedIn("the access token is signed out")
    return Caller(UUID(user_id), username, claims["jti"])


async def revoke(state: Redis, jti: str) -> None:
    """Sign a token out."""
    await state.delete(token_key(jti))
