"""Creates, reads, changes and deletes accounts."""

from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.audit.events import AccountRef, Event, record_event
from api.auth.cache import account_key, invalidate
from api.auth.passwords import hash_password
from api.auth.roles import Role
from api.auth.sessions import end_all
from api.problems import Conflict, Forbidden, NotFound
from api.runtime.client_address import RequestClient
from api.settings import ApiSettings
from api.users import repository
from api.users.repository import Account
from api.users.schemas import NewUser, Registration, User, UserChange, UserPage


async def register(
    users: AsyncEngine, settings: ApiSettings, client: RequestClient, registration: Registration
) -> User:
    """Create an account for the person who sends the request.

    Raises Forbidden if registration is closed, Conflict if the name is taken.
    """
    if settings.registration == "closed":
        raise Forbidden("registration is closed; ask an administrator for an account")
    return await _create(users, settings, client, registration, role=settings.registration_role, actor=None)


async def create(
    users: AsyncEngine, settings: ApiSettings, client: RequestClient, new: NewUser, *, actor: AccountRef
) -> User:
    """Create an account for another person. Raises Conflict if the name is taken.

    Args:
        users: The API's own database.
        settings: The API's settings.
        client: The client that sends the request.
        new: The account.
        actor: The admin who creates the account.
    """
    return await _create(users, settings, client, new, role=new.role, actor=actor)


async def _create(
    users: AsyncEngine,
    settings: ApiSettings,
    client: RequestClient,
    new: Registration,
    *,
    role: Role,
    actor: AccountRef | None,
) -> User:
    # Hashed before the name is looked up, so that the answer takes the same time whether the name is taken or not.
    password_hash = await hash_password(new.password, cost=settings.bcrypt_cost)
    try:
        async with users.begin() as connection:
            account = await repository.add(
                connection,
                username=new.username,
                email=new.email,
                password_hash=password_hash,
                role=role,
            )
            subject = AccountRef(account.id, account.username)
            event = Event.USER_CREATED if actor else Event.REGISTERED
            await record_event(
                connection, event, client, actor=actor or subject, subject=subject, detail=f"role {role}"
            )
    except IntegrityError:
        raise Conflict("this username is taken") from None
    return User.model_validate(account)


async def get(users: AsyncEngine, user_id: UUID) -> User:
    """Return an account. Raises NotFound if there is none with this id."""
    async with users.connect() as connection:
        return User.model_validate(await _existing(connection, user_id))


async def search(
    users: AsyncEngine, *, text: str | None, role: Role | None, limit: int, offset: int
) -> UserPage:
    """Return a page of accounts ordered by name; for the arguments see `repository.search`."""
    async with users.connect() as connection:
        accounts, total = await repository.search(
            connection, text=text, role=role, limit=limit, offset=offset
        )
    return UserPage(users=[User.model_validate(account) for account in accounts], total=total)


async def change(
    users: AsyncEngine,
    state: Redis,
    client: RequestClient,
    user_id: UUID,
    requested: UserChange,
    *,
    bcrypt_cost: int,
    actor: AccountRef,
) -> User:
    """Change an account's role or password, or disable or enable it.

    A change takes effect immediately in every session and for every API key. Disabling an account and setting a new
    password end its sessions.

    Args:
        users: The API's own database.
        state: Redis's state database.
        client: The client that sends the request.
        user_id: The account.
        requested: The changes.
        bcrypt_cost: Cost of the hash of a new password.
        actor: The admin who changes the account.

    Raises:
        NotFound: There is no account with this id.
        Conflict: The account is the last admin, and would be disabled or lose the role.
    """
    password_hash = None
    if requested.password is not None:
        password_hash = await hash_password(requested.password, cost=bcrypt_cost)
    async with users.begin() as connection:
        admins = await repository.lock_admins(connection)
        account = await _existing(connection, user_id)
        if requested.disabled or requested.role not in (None, Role.ADMIN):
            _refuse_last_admin(admins, account)
        await invalidate(state, account_key(user_id))
        subject = AccountRef(account.id, account.username)
        if requested.role not in (None, account.role):
            await repository.set_role(connection, user_id, Role(requested.role))
            detail = f"from {account.role} to {requested.role}"
            await record_event(
                connection, Event.ROLE_CHANGED, client, actor=actor, subject=subject, detail=detail
            )
        if requested.disabled not in (None, account.disabled_at is not None):
            await repository.set_disabled(connection, user_id, disabled=bool(requested.disabled))
            event = Event.DISABLED if requested.disabled else Event.ENABLED
            await record_event(connection, event, client, actor=actor, subject=subject)
        if password_hash is not None:
            await repository.set_password_hash(connection, user_id, password_hash)
            await record_event(connection, Event.PASSWORD_CHANGED, client, actor=actor, subject=subject)
        if requested.disabled or password_hash is not None:
            ended_by = Event.DISABLED if requested.disabled else Event.PASSWORD_CHANGED
            await end_all(state, connection, user_id, ended_by=ended_by)
        return User.model_validate(await _existing(connection, user_id))


async def delete(
    users: AsyncEngine, state: Redis, client: RequestClient, user_id: UUID, *, actor: AccountRef
) -> None:
    """Delete an account with its sessions, API keys and requests.

    Args:
        users: The API's own database.
        state: Redis's state database.
        client: The client that sends the request.
        user_id: The account.
        actor: The admin who deletes the account.

    Raises:
        NotFound: There is no account with this id.
        Conflict: The account is the last admin.
    """
    async with users.begin() as connection:
        admins = await repository.lock_admins(connection)
        account = await _existing(connection, user_id)
        _refuse_last_admin(admins, account)
        await invalidate(state, account_key(user_id))
        await end_all(state, connection, user_id, ended_by=Event.USER_DELETED)
        subject = AccountRef(account.id, account.username)
        await record_event(connection, Event.USER_DELETED, client, actor=actor, subject=subject)
        await repository.remove(connection, user_id)


async def _existing(connection: AsyncConnection, user_id: UUID) -> Account:
    account = await repository.find(connection, user_id)
    if account is None:
        raise NotFound("there is no account with this id")
    return account


def _refuse_last_admin(admins: list[UUID], account: Account) -> None:
    if admins == [account.id]:
        raise Conflict(f"{account.username} is the last admin; give another account the role admin first")
