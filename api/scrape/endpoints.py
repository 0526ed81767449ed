"""Endpoints for single companies: request one, read or follow the status of its run, cancel the request."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.dependencies import CallerDep, cached_record_of, caller_of, needs
from api.auth.roles import Scope
from api.companies.service import fresh_json, load_fresh_record
from api.metrics.process_metrics import process_metrics
from api.routing import Router, problems
from api.scrape import service
from api.scrape.repository import ScrapeView
from api.scrape.schemas import ScrapeAnswer, ScrapeRequest, ScrapeStatus
from api.scrape.states import OPEN_STATES
from api.scrape.waiting import WaitSeconds
from api.services import ServicesDep, services_of
from warehouse.records.record_cache import company_key

router = Router(prefix="/scrape", tags=["scrape"])


_CACHED = ScrapeAnswer(success=True, message="a fresh record is stored", data=None, cached=True)
_JSON_BEFORE_RECORD, _JSON_AFTER_RECORD = (
    part.encode() for part in _CACHED.model_dump_json().split("null", 1)
)
"""The two parts of an answer from the cache. The cached JSON of the record is put between them."""
_IDNO = re.compile(r"[0-9]{13}", re.ASCII)


async def _record_key(request: Request) -> str | None:
    """Return the cache key of the requested company's record; None if the body names no company."""
    try:
        body = await request.json()  # Starlette keeps the body for the endpoint
    except (ValueError, RecursionError):
        return None
    idno = body.get("idno") if isinstance(body, dict) else None
    return company_key(idno.strip()) if isinstance(idno, str) and _IDNO.fullmatch(idno.strip()) else None


@router.post(
    "/",
    summary="Request a company",
    response_model=ScrapeAnswer,
    responses={
        HTTPStatus.ACCEPTED: {"model": ScrapeAnswer, "description": "A run fetches the company's record"}
    },
)
@needs(Scope.SCRAPE, record_key=_record_key)
async def scrape(
    body: ScrapeRequest, request: Request, response: Response, wait: WaitSeconds = 0
) -> ScrapeAnswer | Response:
    """Return the company's record if a fresh one is stored, or if a run fetches it within `wait` seconds (200).

    Otherwise return the run that fetches it (202).
    """
    # A FastAPI dependency for the services would take 5 % of the time of a response from the cache.
    services = services_of(request)
    if not body.force_refresh:
        if (json := fresh_json(cached_record_of(request), services.settings.fresh_for)) is not None:
            process_metrics().answered_from_cache.inc()
            return Response(
                b"".join((_JSON_BEFORE_RECORD, json, _JSON_AFTER_RECORD)), media_type="application/json"
            )
        if record := await load_fresh_record(services, body.idno):
            process_metrics().answers.labels("stored").inc()
            return _CACHED.model_copy(update={"data": record})
    result = await service.request_company(
        services, caller_of(request), body.idno, force_refresh=body.force_refresh, wait=wait
    )
    status_url = f"/scrape/{result.run_id}/"
    message = "the company was fetched"
    if result.record is None:
        is_open = result.state in OPEN_STATES
        progress = "the company is being fetched" if is_open else f"the scrape ended as {result.state}"
        message = f"{progress}; see status_url"
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Location"] = status_url
    return ScrapeAnswer(
        success=True,
        message=message,
        data=result.record,
        cached=False,
        run_id=result.run_id,
        status_url=status_url,
    )


@router.get("/{run_id}/", summary="Read a run's status", responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def read_scrape(
    run_id: str, caller: CallerDep, services: ServicesDep, wait: WaitSeconds = 0
) -> ScrapeStatus:
    """Return the status of a run that you requested.

    If you requested only one company of the run, `data` is its record once the scrape has succeeded. An admin can read
    the status of every run.
    """
    return await service.read_status(services, caller, run_id, wait=wait)


@router.delete(
    "/{run_id}/",
    summary="Cancel a request",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
@needs(Scope.SCRAPE)
async def withdraw_scrape(run_id: str, caller: CallerDep, services: ServicesDep) -> None:
    """Cancel your request. The run is terminated if no other request needs it; captured data is kept."""
    await service.cancel(services.users, services.wakeups, caller, run_id)


async def _requested(run_id: str, caller: CallerDep, services: ServicesDep) -> Sequence[ScrapeView]:
    # This check precedes the stream, because a stream that has started can no longer answer 404.
    return await service.list_requested(services.users, caller, run_id)


@router.get(
    "/{run_id}/events",
    summary="Follow a request",
    response_class=EventSourceResponse,
    responses=problems(HTTPStatus.NOT_FOUND),
)
@needs(Scope.SCRAPE)
async def follow_scrape(
    run_id: str,
    caller: CallerDep,
    services: ServicesDep,
    requested: Annotated[Sequence[ScrapeView], Depends(_requested)],
) -> AsyncIterator[ServerSentEvent]:
    """Stream the status of a run as server-sent events of type `status`: one now and one after each change.

    The stream ends when the run's state is final, and after ten minutes at the latest. Then reconnect to continue.
    """
    async with aclosing(service.stream_status(services, caller, run_id, requested)) as statuses:
        async for status in statuses:
            yield ServerSentEvent(event="status", data=status)
