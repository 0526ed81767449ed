"""Opening and reading accounts."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from api.auth.passwords import hash_password
from api.errors import Conflict, NotFound
from api.services import Services
from api.users import repository
from api.users.schemas import Registration, User


async def register(services: Services, registration: Registration) -> User:
    """Open an account. Raises Conflict where the name or e-mail is taken."""
    password_hash = await hash_password(registration.password, cost=services.settings.bcrypt_cost)
    try:
        async with services.users.begin() as connection:
            user = await repository.add(
                connection,
                username=registration.username,
                email=registration.email,
                password_hash=password_hash,
            )
    except IntegrityError:
        raise Conflict("an account with this username or e-mail exists") from None
    return User.model_validate(user)


async def get(services: Services, user_id: UUID) -> User:
    """Return an account. Raises NotFound if it was deleted."""
    async with services.users.connect() as connection:
        user = await repository.find(connection, user_id)
    if user is None:
        raise NotFound("this account no longer exists")
    return User.model_validate(user)
