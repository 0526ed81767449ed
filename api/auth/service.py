"""Signing in."""

from api.auth.passwords import verify_password
from api.auth.schemas import Token
from api.auth.tokens import issue
from api.errors import NotSignedIn
from api.services import Services
from api.users import repository
from api.users.schemas import is_username


async def sign_in(services: Services, *, username: str, password: str) -> Token:
    """Return an access token. Raises NotSignedIn, without saying whether name or password is wrong."""
    settings = services.settings
    user = None
    if is_username(username):
        async with services.users.connect() as connection:
            user = await repository.find_by_username(connection, username)
    right = await verify_password(password, user.password_hash if user else None, cost=settings.bcrypt_cost)
    if user is None or not right:
        raise NotSignedIn("the username or the password is wrong")
    token = await issue(services.state, settings, user_id=user.id, username=user.username)
    return Token(access_token=token, expires_in=settings.access_minutes * 60)
