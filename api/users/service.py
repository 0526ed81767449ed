"""Opening, reading, changing and deleting accounts."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.events import AccountRef, Event, record_event
from api.auth.cache import account_key, invalidate
from api.auth.passwords import hash_password
from api.auth.roles import Role
from api.auth.sessions import end_all
from api.problems import Conflict, Forbidden, NotFound
from api.runtime.client_address import RequestClient
from api.services import Services
from api.users import repository
from api.users.schemas import NewUser, Registration, User, UserChange, UserPage


async def register(services: Services, client: RequestClient, registration: Registration) -> User:
    """Open one's own account. Raises Forbidden where that is closed, Conflict where the name is taken."""
    settings = services.settings
    if settings.registration == "closed":
        raise Forbidden("registration is closed; ask an administrator for an account")
    return await _open(services, client, registration, settings.registration_role, actor=None)


async def create(services: Services, client: RequestClient, new: NewUser, *, actor: AccountRef) -> User:
    """Open an account for somebody. Raises Conflict where the name is taken."""
    return await _open(services, client, new, new.role, actor=actor)


async def _open(
    services: Services, client: RequestClient, account: Registration, role: Role, *, actor: AccountRef | None
) -> User:
    # Before it is known whether the name is taken: the answer takes as long either way.
    password_hash = await hash_password(account.password, cost=services.settings.bcrypt_cost)
    try:
        async with services.users.begin() as connection:
            row = await repository.add(
                connection,
                username=account.username,
                email=account.email,
                password_hash=password_hash,
                role=role,
            )
            person = AccountRef(row.id, row.username)
            event = Event.USER_CREATED if actor else Event.REGISTERED
            await record_event(
                connection, event, client, actor=actor or person, subject=person, detail=f"role {role}"
            )
    except IntegrityError:
        raise Conflict("this username is taken") from None
    return User.model_validate(row)


async def get(services: Services, user_id: UUID) -> User:
    """Return an account. Raises NotFound if there is none."""
    async with services.users.connect() as connection:
        return await _existing(connection, user_id)


async def search(
    services: Services, *, text: str | None, role: Role | None, limit: int, offset: int
) -> UserPage:
    """Return a page of accounts by name."""
    async with services.users.connect() as connection:
        rows, total = await repository.search(connection, text=text, role=role, limit=limit, offset=offset)
    return UserPage(users=[User.model_validate(row) for row in rows], total=total)


async def change(
    services: Services, client: RequestClient, user_id: UUID, asked: UserChange, *, actor: AccountRef
) -> User:
    """Change an account's role or password, disable or enable it. Raises NotFound, Conflict for the last admin.

    It holds at once: in every session and for every API key. Disabling, and a new password, end the sessions.
    """
    password_hash = None
    if asked.password is not None:
        password_hash = await hash_password(asked.password, cost=services.settings.bcrypt_cost)
    async with services.users.begin() as connection:
        admins = await repository.lock_admins(connection)
        user = await _existing(connection, user_id)
        if asked.disabled or asked.role not in (None, Role.ADMIN):
            _keep_an_admin(admins, user)
        await invalidate(services.state, account_key(user_id))
        subject = AccountRef(user.id, user.username)
        if asked.role not in (None, user.role):
            await repository.set_role(connection, user_id, Role(asked.role))
            detail = f"from {user.role} to {asked.role}"
            await record_event(connection, Event.ROLE_CHANGED, client, actor=actor, subject=subject, detail=detail)
        if asked.disabled not in (None, user.disabled_at is not None):
            await repository.set_disabled(connection, user_id, disabled=bool(asked.disabled))
            event = Event.DISABLED if asked.disabled else Event.ENABLED
            await record_event(connection, event, client, actor=actor, subject=subject)
        if password_hash is not None:
            await repository.set_password_hash(connection, user_id, password_hash)
            await record_event(connection, Event.PASSWORD_CHANGED, client, actor=actor, subject=subject)
        if asked.disabled or password_hash is not None:
            ended_by = Event.DISABLED if asked.disabled else Event.PASSWORD_CHANGED
            await end_all(services, connection, user_id, ended_by=ended_by)
        return await _existing(connection, user_id)


async def delete(services: Services, client: RequestClient, user_id: UUID, *, actor: AccountRef) -> None:
    """Delete an account and all it has. Raises NotFound, Conflict for the last admin."""
    async with services.users.begin() as connection:
        admins = await repository.lock_admins(connection)
        user = await _existing(connection, user_id)
        _keep_an_admin(admins, user)
        await invalidate(services.state, account_key(user_id))
        await end_all(services, connection, user_id, ended_by=Event.USER_DELETED)
        subject = AccountRef(user.id, user.username)
        await record_event(connection, Event.USER_DELETED, client, actor=actor, subject=subject)
        await repository.remove(connection, user_id)


async def _existing(connection: AsyncConnection, user_id: UUID) -> User:
    user = await repository.find(connection, user_id)
    if user is None:
        raise NotFound("there is no account with this id")
    return User.model_validate(user)


def _keep_an_admin(admins: list[UUID], user: User) -> None:
    if admins == [user.id]:
        raise Conflict(f"{user.username} is the last admin; make somebody else one first")
