"""Who is calling, as a dependency of every endpoint that wants to know."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer

from api.auth.tokens import Caller, verify
from api.errors import NotSignedIn
from api.services import ServicesDep

_bearer = OAuth2PasswordBearer(tokenUrl="auth/token", auto_error=False)


async def _caller(services: ServicesDep, token: Annotated[str | None, Depends(_bearer)]) -> Caller:
    if token is None:
        raise NotSignedIn("sign in first: Authorization: Bearer <access token>")
    return await verify(services.state, services.settings, token)


CallerDep = Annotated[Caller, Depends(_caller)]
