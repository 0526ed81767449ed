"""Password sign-in and password change."""

from hashlib import sha256
from uuid import UUID

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
from api.users.repository import Account
from api.users.schemas import is_username

_KNOWN_ADDRESS_SECONDS = 90 * 24 * 3600
_WRONG_PASSWORDS = "wrong passwords"
_NO_ACCOUNT = UUID(int=0)
_WRONG_CREDENTIALS = "the username or the password is wrong"


async def authenticate(services: Services, client: RequestClient, *, username: str, password: str) -> Account:
    """Return the account that a username and password belong to.

    Raises NotSignedIn if the name or the password is wrong or the account is disabled; the error does not reveal which.
    Raises TooManyRequests after too many wrong passwords.
    """
    name = username.lower()
    account = await _find(services, name) if is_username(username) else None
    try:
        await _count_guess(services, client, name, account.id if account else None)
    except TooManyRequests:
        actor = AccountRef(account.id, account.username) if account else None
        await record_event_once_a_minute(
            services.users, services.state, Event.SIGN_IN_THROTTLED, client, about=name, actor=actor
        )
        raise
    is_correct = await verify_password(
        password, account.password_hash if account else None, cost=services.settings.bcrypt_cost
    )
    if account is None or not is_correct or account.disabled_at is not None:
        await _record_failure(services, client, account)
        raise NotSignedIn(_WRONG_CREDENTIALS)
    await services.guess_limits.reset(
        parse_limits(services.settings.limit_guesses), _digest(name), client.network
    )
    await services.state.set(_known_address_key(account.id, client), "1", ex=_KNOWN_ADDRESS_SECONDS)
    return await _rehash_if_needed(services, account, password)


async def change_password(
    services: Services,
    client: RequestClient,
    *,
    owner: AccountRef,
    current: str,
    new: str,
    session_id: UUID | None,
) -> None:
    """Change a password and end the owner's other sessions.

    Args:
        services: The application's services.
        client: The client that sends the request.
        owner: The account whose password changes.
        current: The current password.
        new: The new password.
        session_id: The session that stays open.

    Raises:
        Invalid: The current password is wrong, or the new one breaks the policy.
        TooManyRequests: Too many wrong passwords.
        NotFound: The account no longer exists.
    """
    async with services.users.connect() as connection:
        account = await repository.find(connection, owner.id)
    if account is None:
        raise NotFound("this account no longer exists")
    try:
        check_password(new, names=(account.username, account.email))
    except UnacceptablePassword as reason:
        raise Invalid("new_password", str(reason)) from None
    limits = parse_limits(services.settings.limit_guesses)
    await services.guess_limits.count(limits, f"change {owner.id}", what=_WRONG_PASSWORDS)
    cost = services.settings.bcrypt_cost
    if not await verify_password(current, account.password_hash, cost=cost):
        async with services.users.begin() as connection:
            detail = "wrong current password in a password change"
            await record_event(connection, Event.SIGN_IN_FAILED, client, actor=owner, detail=detail)
        raise Invalid("current_password", "is wrong")
    password_hash = await hash_password(new, cost=cost)
    await services.guess_limits.reset(limits, f"change {owner.id}")
    async with services.users.begin() as connection:
        await end_all(
            services.state, connection, owner.id, ended_by=Event.PASSWORD_CHANGED, all_but=session_id
        )
        changed = await repository.set_password_hash(
            connection, owner.id, password_hash, expected=account.password_hash
        )
        if not changed:
            raise Invalid("current_password", "was changed by another request at the same time")
        await record_event(connection, Event.PASSWORD_CHANGED, client, actor=owner)


async def _find(services: Services, username: str) -> Account | None:
    async with services.users.connect() as connection:
        return await repository.find_by_username(connection, username)


async def _count_guess(services: Services, client: RequestClient, name: str, user_id: UUID | None) -> None:
    """Count an attempt to sign in. Raises TooManyRequests.

    Call this before the password is checked, so that concurrent attempts cannot exceed the limit. Each pair of account
    and address has a limit of its own. In addition, all addresses from which nobody has recently signed in to the
    account share one limit, so that it does not affect the owner's usual addresses. A correct password resets only the
    count of its pair.
    """
    settings, guess_limits, digest = services.settings, services.guess_limits, _digest(name)
    await guess_limits.check(
        parse_limits(settings.limit_guesses_address), client.network, what=_WRONG_PASSWORDS
    )
    await guess_limits.count(
        parse_limits(settings.limit_guesses), digest, client.network, what=_WRONG_PASSWORDS
    )
    # Looked up for unknown accounts too, so that both cases take the same time.
    if not await services.state.exists(_known_address_key(user_id or _NO_ACCOUNT, client)):
        await guess_limits.count(parse_limits(settings.limit_guesses_account), digest, what="sign-ins")


async def _record_failure(services: Services, client: RequestClient, account: Account | None) -> None:
    try:
        limits = parse_limits(services.settings.limit_guesses_address)
        await services.guess_limits.count(limits, client.network, what=_WRONG_PASSWORDS)
    except TooManyRequests:
        pass  # this attempt is refused anyway; the next one from this address is refused before its password is checked
    actor = AccountRef(account.id, account.username) if account else None
    detail = None if account else "no such account"
    if account is not None and account.disabled_at is not None:
        detail = "the account is disabled"
    async with services.users.begin() as connection:
        await record_event(connection, Event.SIGN_IN_FAILED, client, actor=actor, detail=detail)


async def _rehash_if_needed(services: Services, account: Account, password: str) -> Account:
    """Hash the password again if the configured cost has grown since it was hashed."""
    cost = services.settings.bcrypt_cost
    if not needs_rehash(account.password_hash, cost=cost):
        return account
    password_hash = await hash_password(password, cost=cost)
    async with services.users.begin() as connection:
        await repository.set_password_hash(
            connection, account.id, password_hash, expected=account.password_hash
        )
        current = await repository.find(connection, account.id)
    if current is None:
        raise NotSignedIn(_WRONG_CREDENTIALS)
    return current


def _known_address_key(user_id: UUID, client: RequestClient) -> str:
    """Return the Redis key that exists if somebody signed in to this account from this address recently."""
    return f"known:{user_id}:{client.network}"


def _digest(name: str) -> str:
    # Computed for every name that a client tries, so that existing and unknown names are counted alike.
    return sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
