"""Refresh tokens: random, stored as hashes only, each valid for one use."""

import hmac
import secrets
from hashlib import sha256

_PREFIX = "rt_"


def new_refresh_token() -> str:
    """Return the first refresh token of a session."""
    return _PREFIX + secrets.token_urlsafe(32)


def next_refresh_token(token: str, key: str) -> str:
    """Return the token that replaces `token`; the same arguments give the same token.

    So two concurrent requests that present the same token get the same replacement. The API computes the replacement
    again and does not have to store it in clear text. `key` is a key that signs access tokens; a thief who has an old
    token, but not the key, cannot compute the replacement.
    """
    mac = hmac.new(key.encode(), f"refresh {token}".encode(errors="surrogatepass"), sha256)
    return _PREFIX + mac.hexdigest()


def hash_token(token: str) -> str:
    """Return the hash under which a token is stored. Tokens have 256 random bits, so a fast hash is safe."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
