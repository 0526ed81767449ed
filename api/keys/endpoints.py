"""Endpoints for your own API keys."""

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


@router.get("/", summary="List my API keys")
@needs(Scope.ACCOUNT)
async def list_keys(caller: CallerDep, services: ServicesDep) -> list[Key]:
    """Return your valid API keys, newest first."""
    return await service.list_keys(services.users, caller.user_id)


@router.post("/", summary="Create an API key", status_code=HTTPStatus.CREATED)
@needs(Scope.ACCOUNT)
async def create_key(
    new: NewKey, caller: CallerDep, services: ServicesDep, client: ClientDep, response: Response
) -> CreatedKey:
    """Create an API key. The key itself is in this response only; it cannot be read again."""
    response.headers["Cache-Control"] = "no-store"
    return await service.create(services.users, client, new, owner=caller.account, allowed=caller.scopes)


@router.delete(
    "/{key_id}/",
    summary="Revoke an API key",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
@needs(Scope.ACCOUNT)
async def revoke_key(key_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Revoke one of your API keys, immediately and permanently."""
    await service.revoke(services.users, services.state, client, key_id, owner=caller.account)
