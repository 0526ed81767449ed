"""bcrypt, through passlib's API, in a thread: it takes a core for a fifth of a second."""

import os
from functools import cache, partial

from anyio import CapacityLimiter, to_thread
from passlib.hash import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

LEAST_CHARACTERS = 8
MOST_BYTES = 72
"""bcrypt reads no further; a longer password would be cut without a word."""

_NOBODYS = "nobody has this one"


class UnacceptablePassword(ValueError):
    """A password that an account cannot have; says why, never what it was."""


def check_password(password: str, *, names: tuple[str | None, ...] = ()) -> str:
    """Return a password that an account may have. `names` are the account's own. Raises UnfitPassword."""
    size = len(password.encode(errors="surrogatepass"))
    if len(password) < LEAST_CHARACTERS:
        raise UnacceptablePassword(f"has {len(password)} characters, {LEAST_CHARACTERS} or more are needed")
    if size > MOST_BYTES:
        raise UnacceptablePassword(f"has {size} bytes, at most {MOST_BYTES} are allowed")
    if "\x00" in password:
        raise UnacceptablePassword("must not contain the character NUL")
    if password.casefold() in _common_passwords():
        raise UnacceptablePassword("is one of the most common passwords; choose another")
    if password.casefold() in {name.casefold() for name in names if name}:
        raise UnacceptablePassword("must not be the account's own name or e-mail")
    return password


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= LEAST_CHARACTERS)


async def hash_password(password: str, *, cost: int) -> str:
    """Hash a password."""
    return str(await _in_thread(partial(bcrypt.using(rounds=cost).hash, password)))


async def verify_password(password: str, password_hash: str | None, *, cost: int) -> bool:
    """Tell whether a password is right; a wrong one takes as long, whoever's it is, or nobody's."""
    if password_hash is None or not _fits_bcrypt(password):
        await hash_password(_NOBODYS, cost=cost)
        return False
    right = bool(await _in_thread(partial(bcrypt.verify, password, password_hash)))
    if not right:
        for missing in missing_costs(password_hash, cost=cost):
            await hash_password(_NOBODYS, cost=missing)
    return right


def missing_costs(password_hash: str, *, cost: int) -> range:
    """Return the costs that make up for a hash made with fewer rounds: 2^10 + 2^10 + 2^11 = 2^12."""
    return range(int(bcrypt.from_string(password_hash).rounds), cost)


def needs_rehash(password_hash: str, *, cost: int) -> bool:
    """Tell whether a hash was made with fewer rounds than are asked for now."""
    return bool(missing_costs(password_hash, cost=cost))


def _fits_bcrypt(password: str) -> bool:
    return len(password.encode(errors="surrogatepass")) <= MOST_BYTES and "\x00" not in password


@cache
def _limiter() -> CapacityLimiter:
    # As many as there are cores: more would only take turns, and keep other work of the threads waiting.
    return CapacityLimiter(os.cpu_count() or 1)


async def _in_thread(work: "partial[object]") -> object:
    return await to_thread.run_sync(work, limiter=_limiter())
