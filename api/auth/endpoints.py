"""Registration, sign-in, sign-out, who am I."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordRequestForm

from api.auth import service
from api.auth.dependencies import CallerDep
from api.auth.schemas import Credentials, Token
from api.auth.tokens import revoke
from api.routing import Router
from api.services import ServicesDep
from api.users import service as users
from api.users.schemas import Registration, User

router = Router(prefix="/auth", tags=["auth"])


@router.post("/register/", status_code=HTTPStatus.CREATED)
async def register(registration: Registration, services: ServicesDep) -> User:
    """Open an account."""
    return await users.register(services, registration)


@router.post("/login/")
async def login(credentials: Credentials, services: ServicesDep) -> Token:
    """Sign in with JSON."""
    return await service.sign_in(services, username=credentials.username, password=credentials.password)


@router.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()], services: ServicesDep) -> Token:
    """Sign in with the OAuth2 password form (what Swagger's Authorize button sends)."""
    return await service.sign_in(services, username=form.username, password=form.password)


@router.post("/logout/", status_code=HTTPStatus.NO_CONTENT)
async def logout(caller: CallerDep, services: ServicesDep) -> None:
    """Sign this access token out, at once and everywhere."""
    await revoke(services.state, caller.jti)


@router.get("/me/")
async def me(caller: CallerDep, services: ServicesDep) -> User:
    """The account that is signed in."""
    return await users.get(services, caller.user_id)
