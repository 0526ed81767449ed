"""Checks that a secret is long enough and is not a placeholder."""

from urllib.parse import unquote, urlsplit

MIN_SECRET_LENGTH = 32
MIN_PASSWORD_LENGTH = 12
_MIN_DISTINCT_CHARACTERS = 6
_PLACEHOLDERS = ("change", "secret", "password", "example", "placeholder", "default", "postgres")


def check_secret(name: str, value: str, *, min_length: int = MIN_SECRET_LENGTH) -> None:
    """Raise ValueError, naming the setting but never its value, if a secret is too short or a placeholder."""
    if len(value) < min_length:
        raise ValueError(f"{name} has fewer than {min_length} characters")
    if len(set(value)) < _MIN_DISTINCT_CHARACTERS or any(word in value.lower() for word in _PLACEHOLDERS):
        raise ValueError(f"{name} is a placeholder; generate a random value")


def check_url_password(name: str, url: str) -> None:
    """Raise ValueError if a store's URL is malformed, or its password is too short or a placeholder.

    A URL without a password is allowed: a store may authenticate clients by other means (a socket, a certificate).
    """
    try:
        parts = urlsplit(url)
        password, _ = parts.password, parts.port
    except ValueError:
        raise ValueError(
            f"{name} is a malformed URL; in a password, write / ? # @ : as %2F %3F %23 %40 %3A"
        ) from None
    if password is not None:
        check_secret(f"the password in {name}", unquote(password), min_length=MIN_PASSWORD_LENGTH)
