"""The text of an API key: rk_<prefix>_<secret>. The prefix identifies the key, the secret proves it."""

import secrets
import string

from api.problems import NotSignedIn

API_KEY_MARK = "rk_"
_PREFIX_CHARACTERS = 12
_LONGEST = 200
_ALPHABET = string.ascii_letters + string.digits


def new_key() -> tuple[str, str]:
    """Return the prefix and the secret of a new key."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_CHARACTERS)), secrets.token_urlsafe(32)


def join_key(prefix: str, secret: str) -> str:
    """Return the text of the API key with this prefix and secret."""
    return f"{API_KEY_MARK}{prefix}_{secret}"


def split_key(api_key: str) -> tuple[str, str]:
    """Return the prefix and the secret of a key. Raises NotSignedIn if the text is malformed."""
    prefix, _, secret = api_key.removeprefix(API_KEY_MARK).partition("_")
    is_key = api_key.startswith(API_KEY_MARK) and len(api_key) <= _LONGEST and secret and secret.isascii()
    if not is_key or len(prefix) != _PREFIX_CHARACTERS or not set(prefix) <= set(_ALPHABET):
        raise NotSignedIn("malformed API key; a key looks like rk_<prefix>_<secret>")
    return prefix, secret
