"""bcrypt, through passlib's API, in a thread: it takes a core for a fifth of a second."""

from functools import partial

from anyio import to_thread
from passlib.hash import bcrypt

MOST_BYTES = 72
"""bcrypt reads no further; a longer password would be cut without a word."""


async def hash_password(password: str, *, cost: int) -> str:
    """Hash a password."""
    return str(await to_thread.run_sync(partial(bcrypt.using(rounds=cost).hash, password)))


async def verify_password(password: str, password_hash: str | None, *, cost: int) -> bool:
    """Tell whether a password is right; takes as long where there is no such account."""
    if password_hash is None or not fits_bcrypt(password):
        await hash_password("nobody has this one", cost=cost)
        return False
    return bool(await to_thread.run_sync(partial(bcrypt.verify, password, password_hash)))


def fits_bcrypt(password: str) -> bool:
    """Tell whether bcrypt would read all of a password."""
    return len(password.encode(errors="surrogatepass")) <= MOST_BYTES and "\x00" not in password
