"""CSRF tokens prove that a form was served to the browser that sends it. The token is an HMAC of a cookie."""

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

CSRF_COOKIE = "registru_csrf"


def new_token() -> str:
    """Return a new value of the CSRF cookie."""
    return secrets.token_urlsafe(24)


def form_token(cookie: str, key: str) -> str:
    """Return the token of a form, computed from the CSRF cookie. Another site can neither read nor compute it."""
    return hmac.new(key.encode(), f"csrf {cookie}".encode(errors="surrogatepass"), sha256).hexdigest()


def is_valid_form_token(cookie: str | None, form_value: str, keys: Sequence[str]) -> bool:
    """Return whether a form's token was computed from the cookie of the same request with one of these keys."""
    if not cookie:
        return False
    value = form_value.encode(errors="surrogatepass")
    return any(hmac.compare_digest(form_token(cookie, key).encode(), value) for key in keys)
