"""Endpoints for batches: request many companies, read or follow the status of a batch, cancel it."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from api.auth.dependencies import CallerDep, needs
from api.auth.roles import Scope
from api.batches import service
from api.batches.schemas import BatchAnswer, BatchRequest, BatchStatus
from api.batches.verdicts import ItemVerdict
from api.routing import Router, problems
from api.runtime.client_address import ClientDep
from api.scrape.waiting import WaitSeconds
from api.services import ServicesDep

router = Router(prefix="/scrape/batch", tags=["batches"])

_NOT_FOUND = problems(HTTPStatus.NOT_FOUND)
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="1 to 200 printable ASCII characters. A repeated request with the same key and body returns the"
        " same batch",
    ),
]


@router.post(
    "/",
    summary="Request a batch",
    responses={HTTPStatus.ACCEPTED: {"model": BatchAnswer, "description": "Runs fetch the companies"}},
)
@needs(Scope.SCRAPE)
async def make_batch(
    batch: BatchRequest,
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BatchAnswer:
    """Return a verdict on each item. Runs fetch the companies that have no fresh record.

    The status is 202, or 200 if nothing has to be fetched.
    """
    answer = await service.submit(services, caller, batch, key=idempotency_key, body=await request.body())
    if answer.counts[ItemVerdict.ACCEPTED] or answer.counts[ItemVerdict.JOINED]:
        response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = answer.status_url
    return answer


@router.get("/{batch_id}/", summary="Read a batch's status", responses=_NOT_FOUND)
@needs(Scope.SCRAPE)
async def read_batch(
    batch_id: UUID, caller: CallerDep, services: ServicesDep, wait: WaitSeconds = 0
) -> BatchStatus:
    """Return the status of one of your batches and of each of its companies. An admin can read every batch."""
    return await service.read_status(services.users, services.wakeups, caller, batch_id, wait=wait)


@router.delete(
    "/{batch_id}/", summary="Cancel a batch", status_code=HTTPStatus.NO_CONTENT, responses=_NOT_FOUND
)
@needs(Scope.SCRAPE)
async def cancel_batch(batch_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Cancel a batch. Runs that no other request needs are terminated; captured data is kept."""
    await service.cancel(services.users, services.wakeups, client, caller, batch_id)


async def _require_access(batch_id: UUID, caller: CallerDep, services: ServicesDep) -> None:
    # This check precedes the stream, because a stream that has started can no longer answer 404.
    async with services.users.connect() as connection:
        await service.find(connection, caller, batch_id)


@router.get(
    "/{batch_id}/events",
    summary="Follow a batch",
    response_class=EventSourceResponse,
    responses=_NOT_FOUND,
    dependencies=[Depends(_require_access)],
)
@needs(Scope.SCRAPE)
async def follow_batch(
    batch_id: UUID, caller: CallerDep, services: ServicesDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream the status of a batch as server-sent events of type `status`: one now and one after each change.

    The first event contains all companies. Each later event contains only those that changed since the event before.
    The stream ends when the batch has ended, and after ten minutes at the latest. Then reconnect to continue.
    """
    async with aclosing(
        service.stream_status(services.users, services.wakeups, caller, batch_id)
    ) as statuses:
        async for status in statuses:
            yield ServerSentEvent(event="status", data=status)
