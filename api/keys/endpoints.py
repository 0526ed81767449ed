"""One's API keys."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Response

from api.auth.dependencies import CallerDep, needs
from api.auth.roles import Scope
from api.keys import service
from api.keys.schemas import CreatedKey, Key, NewKey
from api.routing import Router, problems
from api.runtime.client_address import ClientDep
from api.services import ServicesDep

router = Router(prefix="/auth/keys", tags=["API keys"])


@router.get("/")
@needs(Scope.ACCOUNT)
async def list_keys(caller: CallerDep, services: ServicesDep) -> list[Key]:
    """One's API keys that are good, the newest first."""
    return await service.list_keys(services, caller.user_id)


@router.post("/", status_code=HTTPStatus.CREATED)
@needs(Scope.ACCOUNT)
async def create_key(
    asked: NewKey, caller: CallerDep, services: ServicesDep, client: ClientDep, response: Response
) -> CreatedKey:
    """Make an API key. It is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    return await service.create(services, client, asked, owner=caller.account, allowed=caller.scopes)


@router.delete("/{key_id}/", status_code=HTTPStatus.NO_CONTENT, responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.ACCOUNT)
async def revoke_key(key_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Revoke one of one's API keys, at once and for good."""
    await service.revoke(services, client, key_id, owner=caller.account)
