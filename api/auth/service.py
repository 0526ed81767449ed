"""Signing in, and changing one's password."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from api.audit.events import AccountRef, Event, record_event, record_event_once_a_minute
from api.auth.passwords import (
    UnacceptablePassword,
    check_password,
    hash_password,
    needs_rehash,
    verify_password,
)
from api.auth.sessions import end_all
from api.problems import Invalid, NotFound, NotSignedIn, TooManyRequests
from api.runtime.client_address import RequestClient
from api.services import Services
from api.settings import parse_limits
from api.users import repository
from api.users.schemas import is_username

_KNOWN_FOR_SECONDS = 90 * 24 * 3600
_TRIES = "wrong passwords"
_NOBODY = UUID(int=0)


async def authenticate(
    services: Services, client: RequestClient, *, username: str, password: str
) -> Row[Any]:
    """Return the account that this name and password open.

    Raises NotSignedIn, without saying which of the two is wrong (or that the account is disabled), and
    TooManyRequests where there were too many wrong ones.
    """
    name = username.lower()
    user = await _find(services, name) if is_username(username) else None
    try:
        await _count_guess(services, client, name, user.id if user else None)
    except TooManyRequests:
        actor = AccountRef(user.id, user.username) if user else None
        await record_event_once_a_minute(services, Event.SIGN_IN_THROTTLED, client, about=name, actor=actor)
        raise
    right = await verify_password(
        password, user.password_hash if user else None, cost=services.settings.bcrypt_cost
    )
    if user is None or not right or user.disabled_at is not None:
        await _note_failure(services, client, user)
        raise NotSignedIn("the username or the password is wrong")
    await services.guess_limits.forgive(
        parse_limits(services.settings.limit_guesses), _digest(name), client.network
    )
    await services.state.set(_known_key(user.id, client), "1", ex=_KNOWN_FOR_SECONDS)
    return await _with_current_cost(services, user, password)


async def change_password(
    services: Services,
    client: RequestClient,
    *,
    user: AccountRef,
    current: str,
    new: str,
    session_id: UUID | None,
) -> None:
    """Change a password; every other session ends. Raises Invalid for a wrong or an unfit one."""
    async with services.users.connect() as connection:
        row = await repository.find(connection, user.id)
    if row is None:
        raise NotFound("this account no longer exists")
    try:
        check_password(new, names=(row.username, row.email))
    except UnacceptablePassword as reason:
        raise Invalid("new_password", str(reason)) from None
    guesses = parse_limits(services.settings.limit_guesses)
    await services.guess_limits.guess(guesses, f"change {user.id}", what=_TRIES)
    cost = services.settings.bcrypt_cost
    if not await verify_password(current, row.password_hash, cost=cost):
        async with services.users.begin() as connection:
            detail = "the current password, to change it"
            await record_event(connection, Event.SIGN_IN_FAILED, client, actor=user, detail=detail)
        raise Invalid("current_password", "is wrong")
    password_hash = await hash_password(new, cost=cost)
    await services.guess_limits.forgive(guesses, f"change {user.id}")
    async with services.users.begin() as connection:
        await end_all(services, connection, user.id, ended_by=Event.PASSWORD_CHANGED, but=session_id)
        changed = await repository.set_password_hash(
            connection, user.id, password_hash, instead_of=row.password_hash
        )
        if not changed:
            raise Invalid("current_password", "has just been changed by another request")
        await record_event(connection, Event.PASSWORD_CHANGED, client, actor=user)


async def _find(services: Services, username: str) -> Row[Any] | None:
    async with services.users.connect() as connection:
        return await repository.find_by_username(connection, username)


async def _count_guess(services: Services, client: RequestClient, name: str, user_id: UUID | None) -> None:
    """Count a try before the password is looked at, so that a thousand at once are no more than one by one.

    Who keeps guessing from elsewhere uses up the account's limit for unknown addresses, not the owner's, who has
    signed in from theirs before. A right password clears the count of its own address only.
    """
    settings, guesses, about = services.settings, services.guess_limits, _digest(name)
    await guesses.check_guesses(parse_limits(settings.limit_guesses_address), client.network, what=_TRIES)
    await guesses.guess(parse_limits(settings.limit_guesses), about, client.network, what=_TRIES)
    # Asked for whoever nobody is, too: both take as long.
    if not await services.state.exists(_known_key(user_id or _NOBODY, client)):
        await guesses.guess(parse_limits(settings.limit_guesses_account), about, what="sign-ins")


async def _note_failure(services: Services, client: RequestClient, user: Row[Any] | None) -> None:
    try:
        address = parse_limits(services.settings.limit_guesses_address)
        await services.guess_limits.guess(address, client.network, what=_TRIES)
    except TooManyRequests:
        pass  # the next one from this address is not looked at
    actor = AccountRef(user.id, user.username) if user else None
    detail = None if user else "no such account"
    if user is not None and user.disabled_at is not None:
        detail = "the account is disabled"
    async with services.users.begin() as connection:
        await record_event(connection, Event.SIGN_IN_FAILED, client, actor=actor, detail=detail)


async def _with_current_cost(services: Services, user: Row[Any], password: str) -> Row[Any]:
    """Hash the password anew if the cost has grown since it was hashed."""
    cost = services.settings.bcrypt_cost
    if not needs_rehash(user.password_hash, cost=cost):
        return user
    password_hash = await hash_password(password, cost=cost)
    async with services.users.begin() as connection:
        await repository.set_password_hash(connection, user.id, password_hash, instead_of=user.password_hash)
        current = await repository.find(connection, user.id)
    if current is None:
        raise NotSignedIn("the username or the password is wrong")
    return current


def _known_key(user_id: UUID, client: RequestClient) -> str:
    """Redis key that says that this account was signed in to from this address before."""
    return f"known:{user_id}:{client.network}"


def _digest(name: str) -> str:
    # Of any name that was tried, so that those that exist are counted like those that do not.
    return sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
