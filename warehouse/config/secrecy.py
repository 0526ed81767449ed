"""What counts as a secret: nothing short, nothing that stands in for one."""

from urllib.parse import unquote, urlsplit

SHORTEST_SECRET = 32
SHORTEST_PASSWORD = 12
_FEWEST_DIFFERENT = 6
_PLACEHOLDERS = ("change", "secret", "password", "example", "placeholder", "default", "postgres")


def check_secret(name: str, value: str, *, shortest: int = SHORTEST_SECRET) -> None:
    """Raise ValueError, naming the setting and never its value, if this is no secret."""
    if len(value) < shortest:
        raise ValueError(f"{name} has to have {shortest} characters or more")
    if len(set(value)) < _FEWEST_DIFFERENT or any(word in value.lower() for word in _PLACEHOLDERS):
        raise ValueError(f"{name} is a placeholder; make one up, at random")


def check_url_password(name: str, url: str) -> None:
    """Raise ValueError if the URL of a store holds a password that is none.

    One without a password is let be: a store may know its clients by other means (a socket, a certificate).
    """
    try:
        parts = urlsplit(url)
        password, _ = parts.password, parts.port
    except ValueError:
        raise ValueError(
            f"{name} is no URL; in a password, / ? # @ : are written %2F %3F %23 %40 %3A"
        ) from None
    if password is not None:
        check_secret(f"the password in {name}", unquote(password), shortest=SHORTEST_PASSWORD)
