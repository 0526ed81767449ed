"""Passwords: the policy, and hashing with passlib's bcrypt.

Hashing runs in threads, because each hash keeps a core busy for 0.2 s.
"""

import os
from functools import cache, partial

from anyio import CapacityLimiter, to_thread
from passlib.hash import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

LEAST_CHARACTERS = 8
MOST_BYTES = 72
"""Maximum length. bcrypt ignores all further bytes, so a longer password would silently be truncated."""

_PLACEHOLDER_PASSWORD = "nobody has this one"  # noqa: S105 - hashed only to take the usual time


class UnacceptablePassword(ValueError):
    """A password that breaks the policy; the message gives the reason, never the password."""


def check_password(password: str, *, names: tuple[str | None, ...] = ()) -> str:
    """Return a password that satisfies the policy.

    `names` are the account's username and e-mail, which the password must not equal. Raises UnacceptablePassword.
    """
    size = len(password.encode(errors="surrogatepass"))
    if len(password) < LEAST_CHARACTERS:
        raise UnacceptablePassword(
            f"has {len(password)} characters; at least {LEAST_CHARACTERS} are required"
        )
    if size > MOST_BYTES:
        raise UnacceptablePassword(f"has {size} bytes; at most {MOST_BYTES} are allowed")
    if "\x00" in password:
        raise UnacceptablePassword("must not contain the character NUL")
    if password.casefold() in _common_passwords():
        raise UnacceptablePassword("is one of the most common passwords; choose another one")
    if password.casefold() in {name.casefold() for name in names if name}:
        raise UnacceptablePassword("must not be the account's own name or e-mail address")
    return password


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= LEAST_CHARACTERS)


async def hash_password(password: str, *, cost: int) -> str:
    """Return the bcrypt hash of a password; `cost` is the base-2 logarithm of the rounds."""
    return str(await _in_thread(partial(bcrypt.using(rounds=cost).hash, password)))


async def verify_password(password: str, password_hash: str | None, *, cost: int) -> bool:
    """Return whether a password is correct.

    The check of a wrong password takes the same time for every account, and also if there is no account
    (`password_hash` is None). So the time does not reveal whether the account exists.
    """
    if password_hash is None or not _fits_bcrypt(password):
        await hash_password(_PLACEHOLDER_PASSWORD, cost=cost)
        return False
    is_correct = bool(await _in_thread(partial(bcrypt.verify, password, password_hash)))
    if not is_correct:
        for missing in missing_costs(password_hash, cost=cost):
            await hash_password(_PLACEHOLDER_PASSWORD, cost=missing)
    return is_correct


def missing_costs(password_hash: str, *, cost: int) -> range:
    """Return the costs of extra hashes, which make checks against a cheap and an expensive hash take the same time.

    The check against `password_hash` plus these extra hashes takes as long as a check against a hash of `cost`. For a
    hash of cost 10 and `cost` 12, the extra hashes have the costs 10 and 11: 2^10 + 2^10 + 2^11 = 2^12 rounds.
    """
    return range(int(bcrypt.from_string(password_hash).rounds), cost)


def needs_rehash(password_hash: str, *, cost: int) -> bool:
    """Return whether a hash was made with a lower cost than `cost`."""
    return bool(missing_costs(password_hash, cost=cost))


def _fits_bcrypt(password: str) -> bool:
    return len(password.encode(errors="surrogatepass")) <= MOST_BYTES and "\x00" not in password


@cache
def _limiter() -> CapacityLimiter:
    # One thread per core: more would only share the cores, and delay the other work of the thread pool.
    return CapacityLimiter(os.cpu_count() or 1)


async def _in_thread(work: "partial[object]") -> object:
    return await to_thread.run_sync(work, limiter=_limiter())
