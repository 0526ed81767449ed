"""Ask for a company; see where a run stands, wait for it, follow it, want it no more."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.dependencies import CallerDep, cached_record_of, caller_of, needs
from api.auth.roles import Scope
from api.companies.service import fresh_json, fresh_record
from api.metrics.process_metrics import process_metrics
from api.routing import Router, problems
from api.scrape import service
from api.scrape.repository import RequestedScrape
from api.scrape.schemas import ScrapeAnswer, ScrapeRequest, ScrapeStatus
from api.scrape.states import OPEN_STATES
from api.scrape.waiting import WaitSeconds
from api.services import ServicesDep, services_of
from warehouse.records.record_cache import company_key

router = Router(prefix="/scrape", tags=["scrape"])


_CACHED = ScrapeAnswer(success=True, message="a fresh record is held", data=None, cached=True)
_BEFORE, _AFTER = (part.encode() for part in _CACHED.model_dump_json().split("null", 1))
"""What stands around the record in an answer from the cache."""
_IDNO = re.compile(r"[0-9]{13}", re.ASCII)


async def _record_key(request: Request) -> str | None:
    """Return where the record that a request may be answered with is cached, as far as its body can be understood."""
    try:
        body = await request.json()  # read, and kept, before the gate is asked
    except (ValueError, RecursionError):
        return None
    idno = body.get("idno") if isinstance(body, dict) else None
    return company_key(idno.strip()) if isinstance(idno, str) and _IDNO.fullmatch(idno.strip()) else None


@router.post(
    "/",
    response_model=ScrapeAnswer,
    responses={HTTPStatus.ACCEPTED: {"model": ScrapeAnswer, "description": "A run fetches it"}},
)
@needs(Scope.SCRAPE, record_key=_record_key)
async def scrape(
    asked: ScrapeRequest, request: Request, response: Response, wait: WaitSeconds = 0
) -> ScrapeAnswer | Response:
    """The company's record, if a fresh one is held or it is fetched while you wait (200); else a run (202)."""
    services = services_of(request)  # no dependency: each costs a twentieth of a cached answer
    if not asked.force_refresh:
        if (json := fresh_json(services, cached_record_of(request))) is not None:
            process_metrics().answered_from_cache.inc()
            return Response(b"".join((_BEFORE, json, _AFTER)), media_type="application/json")
        if record := await fresh_record(services, asked.idno):
            process_metrics().answers.labels("stored").inc()
            return _CACHED.model_copy(update={"data": record})
    fetch = await service.fetch(
        services, caller_of(request), asked.idno, force_refresh=asked.force_refresh, wait=wait
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


async def _asked(run_id: str, caller: CallerDep, services: ServicesDep) -> Sequence[RequestedScrape]:
    # Before the stream begins: afterwards there is no 404.
    return await service.read_asked(services, caller, run_id)


@router.get("/{run_id}/events", response_class=EventSourceResponse, responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def follow_scrape(
    run_id: str,
    caller: CallerDep,
    services: ServicesDep,
    asked: Annotated[Sequence[RequestedScrape], Depends(_asked)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `status` with where the run stands, at once and whenever that changes, until it is over.

    A stream lasts ten minutes at most; connect again for more.
    """
    async with aclosing(service.stream_status(services, caller, run_id, asked)) as statuses:
        async for status in statuses:
            yield ServerSentEvent(event="status", data=status)
