"""Refresh tokens: random, stored as hashes only, each good for one use."""

import hmac
import secrets
from hashlib import sha256

_PREFIX = "rt_"


def new_refresh_token() -> str:
    """Return the first refresh token of a session."""
    return _PREFIX + secrets.token_urlsafe(32)


def next_refresh_token(token: str, key: str) -> str:
    """Return the token that follows `token`, the same each time.

    Two requests that race with one token get one and the same successor, without it being stored in clear; and
    who only has a stolen old token cannot make it without the key.
    """
    mac = hmac.new(key.encode(), f"refresh {token}".encode(errors="surrogatepass"), sha256)
    return _PREFIX + mac.hexdigest()


def hash_token(token: str) -> str:
    """Return what is stored of a random token. It has 256 bits, so that a slow hash would add nothing."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
