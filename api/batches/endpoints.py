"""Ask for many companies at once; see where they stand, wait, follow them, want them no more."""

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
        description="Sent again with the same body, it gets the same batch again; 1 to 200 printable ASCII characters",
    ),
]


@router.post("/", responses={HTTPStatus.ACCEPTED: {"model": BatchAnswer, "description": "Runs fetch them"}})
@needs(Scope.SCRAPE)
async def make_batch(
    asked: BatchRequest,
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BatchAnswer:
    """A verdict on each item, and runs that fetch what is not held (202; 200 if all is)."""
    answer = await service.submit(services, caller, asked, key=idempotency_key, body=await request.body())
    if answer.counts[ItemVerdict.ACCEPTED] or answer.counts[ItemVerdict.JOINED]:
        response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = answer.status_url
    return answer


@router.get("/{batch_id}/", responses=_NOT_FOUND)
@needs(Scope.SCRAPE)
async def read_batch(
    batch_id: UUID, caller: CallerDep, services: ServicesDep, wait: WaitSeconds = 0
) -> BatchStatus:
    """Where a batch of yours stands (an admin: anybody's), and each of its companies."""
    return await service.read_status(services, caller, batch_id, wait=wait)


@router.delete("/{batch_id}/", status_code=HTTPStatus.NO_CONTENT, responses=_NOT_FOUND)
@needs(Scope.SCRAPE)
async def cancel_batch(batch_id: UUID, caller: CallerDep, services: ServicesDep, client: ClientDep) -> None:
    """Want no more of it. Runs end that nobody else wants; what was fetched stays."""
    await service.cancel(services, client, caller, batch_id)


async def _is_the_callers(batch_id: UUID, caller: CallerDep, services: ServicesDep) -> None:
    # Before the stream begins: afterwards there is no 404.
    async with services.users.connect() as connection:
        await service.find(connection, caller, batch_id)


@router.get(
    "/{batch_id}/events",
    response_class=EventSourceResponse,
    responses=_NOT_FOUND,
    dependencies=[Depends(_is_the_callers)],
)
@needs(Scope.SCRAPE)
async def follow_batch(
    batch_id: UUID, caller: CallerDep, services: ServicesDep
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `status` with the counts and the companies that changed since the last one, until it is over.

    The first one has all companies. A stream lasts ten minutes at most; connect again for more.
    """
    async with aclosing(service.stream_status(services, caller, batch_id)) as statuses:
        async for status in statuses:
            yield ServerSentEvent(event="status", data=status)
