"""Ask for a company; see where a run stands, wait for it, follow it, want it no more."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.dependencies import CallerDep, needs
from api.auth.roles import Scope
from api.companies.service import fresh_record
from api.routing import Router, problems
from api.scrape import service
from api.scrape.repository import Asked
from api.scrape.schemas import ScrapeAnswer, ScrapeRequest, ScrapeStatus
from api.scrape.states import OPEN_STATES
from api.scrape.waiting import WaitSeconds
from api.services import ServicesDep

router = Router(prefix="/scrape", tags=["scrape"])


@router.post("/", responses={HTTPStatus.ACCEPTED: {"model": ScrapeAnswer, "description": "A run fetches it"}})
@needs(Scope.SCRAPE)
async def scrape(
    request: ScrapeRequest,
    caller: CallerDep,
    services: ServicesDep,
    response: Response,
    wait: WaitSeconds = 0,
) -> ScrapeAnswer:
    """The company's record, if a fresh one is held or it is fetched while you wait (200); else a run (202)."""
    if not request.force_refresh and (record := await fresh_record(services, request.idno)):
        return ScrapeAnswer(success=True, message="a fresh record is held", data=record, cached=True)
    fetch = await service.fetch(
        services, caller, request.idno, force_refresh=request.force_refresh, wait=wait
    )
    status_url = f"/scrape/{fetch.run_id}/"
    message = "the company was fetched"
    if fetch.record is None:
        is_open = fetch.state in OPEN_STATES
        message = (
            f"{'the company is being fetched' if is_open else f'it ended as {fetch.state}'}; see status_url"
        )
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Location"] = status_url
    return ScrapeAnswer(
        success=True,
        message=message,
        data=fetch.record,
        cached=False,
        run_id=fetch.run_id,
        status_url=status_url,
    )


@router.get("/{run_id}/", responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def read_scrape(
    run_id: str, caller: CallerDep, services: ServicesDep, wait: WaitSeconds = 0
) -> ScrapeStatus:
    """Where a run that you asked for stands (an admin: any), and the record once it has succeeded."""
    return await service.read_status(services, caller, run_id, wait=wait)


@router.delete("/{run_id}/", status_code=HTTPStatus.NO_CONTENT, responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def withdraw_scrape(run_id: str, caller: CallerDep, services: ServicesDep) -> None:
    """Want it no more. The run ends unless others want what it fetches; what was fetched stays."""
    await service.withdraw(services, caller, run_id)


async def _asked(run_id: str, caller: CallerDep, services: ServicesDep) -> Sequence[Asked]:
    # Before the stream begins: afterwards there is no 404.
    return await service.read_asked(services, caller, run_id)


@router.get("/{run_id}/events", response_class=EventSourceResponse, responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def follow_scrape(
    run_id: str, caller: CallerDep, services: ServicesDep, asked: Annotated[Sequence[Asked], Depends(_asked)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `status` with where the run stands, at once and whenever that changes, until it is over.

    A stream lasts ten minutes at most; connect again for more.
    """
    async with aclosing(service.stream_status(services, caller, run_id, asked)) as statuses:
        async for status in statuses:
            yield ServerSentEvent(event="status", data=status)
