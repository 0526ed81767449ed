"""Requests for single companies: each is served by one scrape, which all requests for the same company share."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.auth.callers import Caller
from api.auth.roles import Role
from api.companies.service import load_current_record
from api.dagster.dagster_client import DagsterUnavailable, LaunchUnclear
from api.metrics.process_metrics import process_metrics
from api.problems import NotFound, Unavailable
from api.runtime.wakeups import WORK, WakeupBus
from api.scrape import launches, launching, repository
from api.scrape.launches import Launch, LaunchOrigin
from api.scrape.repository import ScrapeView
from api.scrape.schemas import CompanyState, ScrapeStatus
from api.scrape.states import ScrapeState, combined
from api.scrape.waiting import STREAM_SECONDS, poll_until_ended, wait_until_ended
from api.services import Services
from warehouse.contract import RunKind
from warehouse.records.models import CompanyRecord

logger = logging.getLogger(__name__)

_RUN_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_NOT_FOUND = "you have not requested a run with this id"
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class StoredRequest:
    """A request as stored, with the scrape and the launch that serve it."""

    id: int
    scrape_id: UUID
    launch_id: UUID
    own_launch: Launch | None
    """The launch that was created and claimed for this request; None: the request joined an earlier scrape."""
    taken_from: UUID | None
    """The bulk launch that the scrape was taken from, so that a single request does not wait for bulk work."""


@dataclass(frozen=True)
class FetchResult:
    """The run that fetches a company, the state of the scrape, and the record once the scrape has succeeded."""

    run_id: str
    state: ScrapeState = ScrapeState.QUEUED
    record: CompanyRecord | None = None


async def request_company(
    services: Services, caller: Caller, idno: str, *, force_refresh: bool, wait: float
) -> FetchResult:
    """Store a request for a company, and launch a run for it or join the run that already fetches it.

    Args:
        services: The API's services.
        caller: The user who requests the company.
        idno: The company.
        force_refresh: Whether the caller wants a new visit even if a fresh record is stored.
        wait: The maximum time to wait for the end of the scrape, in seconds.

    Raises:
        Unavailable: No run can be launched. The request is not kept.
    """
    async with services.users.begin() as connection:
        request = await _store_request(connection, caller, idno, force_refresh=force_refresh)
    try:
        run_id = await _launch_or_join(services, request)
    except Unavailable:
        process_metrics().answers.labels("unavailable").inc()
        raise
    how = "joined" if request.own_launch is None else "launched"
    process_metrics().answers.labels(how).inc()
    fields = {"idno": idno, "run_id": run_id, "launch_id": request.launch_id, "user": caller.username}
    logger.info("scrape accepted, %s", how, extra=fields)
    if not wait:
        return FetchResult(run_id)
    load_view = partial(_load_view, services.users, request.scrape_id)
    topics = frozenset([str(request.scrape_id)])
    try:
        view = await wait_until_ended(services.wakeups, load_view, topics=topics, seconds=wait)
        has_record = view.state is ScrapeState.SUCCEEDED
        record = await load_current_record(services.warehouse, idno) if has_record else None
        return FetchResult(run_id, view.state, record)
    except (SQLAlchemyError, OSError) as error:  # a store is down, but the run continues
        logger.info("could not wait for run %s: %s", run_id, type(error).__name__)
        return FetchResult(run_id)


async def _load_view(users: AsyncEngine, scrape_id: UUID) -> ScrapeView:
    async with users.connect() as connection:
        return await repository.load_view(connection, scrape_id)


async def _launch_or_join(services: Services, request: StoredRequest) -> str:
    """Return the id of the run that serves a request. Raises Unavailable."""
    if request.own_launch is None:
        return await _wait_for_shared_run(services.users, services.wakeups, request)
    try:
        return await launching.launch_claimed(services, request.own_launch)
    except (LaunchUnclear, TimeoutError) as error:
        # The run may exist. When the claim on the launch has expired, a reconciler looks for the run by its tag.
        logger.warning("launch %s: %s", request.launch_id, error)
        raise Unavailable("Dagster did not answer in time; try again in 10 seconds", 10) from error
    except DagsterUnavailable as error:
        logger.warning("launch %s: %s", request.launch_id, error)
        await _delete_request(services.users, services.wakeups, request)
        raise Unavailable(f"no run can be launched: {error}") from error


async def _store_request(
    connection: AsyncConnection, caller: Caller, idno: str, *, force_refresh: bool
) -> StoredRequest:
    scrape_ids, new = await repository.open_or_join(connection, [idno])
    scrape_id = scrape_ids[idno]
    request_id = await repository.add_request(
        connection, scrape_id=scrape_id, user_id=caller.user_id, force_refresh=force_refresh
    )
    taken_from = None
    if not new:
        [scrape] = await repository.list_open(connection, scrape_id)
        if not scrape.is_bulk or scrape.state is ScrapeState.DEFERRED:
            return StoredRequest(request_id, scrape_id, scrape.launch_id, own_launch=None, taken_from=None)
        taken_from = scrape.launch_id
    launch_id = await launches.create(
        connection,
        [scrape_id],
        kind=RunKind.PERSON,
        requested_by=caller.username,
        origin=LaunchOrigin.current(),
        is_claimed=True,
    )
    launch = await launches.read(connection, launch_id)
    return StoredRequest(request_id, scrape_id, launch_id, own_launch=launch, taken_from=taken_from)


async def _delete_request(users: AsyncEngine, wakeups: WakeupBus, request: StoredRequest) -> None:
    """Delete a request for which no run could be launched. If other requests need the scrape, the scrape stays."""
    async with users.begin() as connection:
        if request.taken_from is not None:
            await repository.return_to_launch(
                connection, request.scrape_id, new=request.launch_id, old=request.taken_from
            )
        await repository.delete_request(connection, request.id, request.scrape_id)
        await launches.delete_empty(connection, request.launch_id)
    await wakeups.publish(WORK, str(request.scrape_id))


async def _wait_for_shared_run(users: AsyncEngine, wakeups: WakeupBus, request: StoredRequest) -> str:
    """Wait until the process that launches the shared run has stored the run's id. Raises Unavailable."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + launching.LAUNCH_TIMEOUT_SECONDS
    error: str | None = None
    with wakeups.subscribe([str(request.scrape_id)]) as subscription:
        while error is None and loop.time() < deadline:
            async with users.connect() as connection:
                progress = await launches.find_progress(connection, request.scrape_id)
            if progress is None:
                break
            if progress.run_id is not None:
                return progress.run_id
            error = progress.error
            await subscription.wait(seconds=_POLL_SECONDS)
    async with users.begin() as connection:
        await repository.delete_request(connection, request.id, request.scrape_id)
        await launches.delete_empty(connection, request.launch_id)
    raise Unavailable(f"no run can be launched: {error or 'Dagster did not answer in time'}")


async def list_requested(users: AsyncEngine, caller: Caller, run_id: str) -> Sequence[ScrapeView]:
    """Return the scrapes of a run that the caller requested; an admin gets all of them. Raises NotFound."""
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound(_NOT_FOUND)
    async with users.connect() as connection:
        user_id = None if caller.role is Role.ADMIN else caller.user_id
        views = await repository.list_views_of_run(connection, run_id=run_id, user_id=user_id)
    if not views:
        raise NotFound(_NOT_FOUND)
    return views


async def read_status(services: Services, caller: Caller, run_id: str, *, wait: float = 0.0) -> ScrapeStatus:
    """Return the status of a run that the caller requested; wait at most `wait` seconds for its end.

    Raises NotFound.
    """
    load_status = _status_loader(services, caller, run_id)
    status = await load_status()
    if status.has_ended or not wait:
        return status
    views = await list_requested(services.users, caller, run_id)
    return await wait_until_ended(services.wakeups, load_status, topics=_topics(views), seconds=wait)


async def stream_status(
    services: Services, caller: Caller, run_id: str, requested: Sequence[ScrapeView]
) -> AsyncGenerator[ScrapeStatus, None]:
    """Yield the status of a run now and after each change, until the run ends, for at most STREAM_SECONDS."""
    load_status = _status_loader(services, caller, run_id)
    last_status = None
    async with aclosing(
        poll_until_ended(services.wakeups, load_status, topics=_topics(requested), seconds=STREAM_SECONDS)
    ) as statuses:
        async for status in statuses:
            if status != last_status:
                yield (last_status := status)


def _status_loader(services: Services, caller: Caller, run_id: str) -> Callable[[], Awaitable[ScrapeStatus]]:
    return partial(_load_status, caller, run_id, users=services.users, warehouse=services.warehouse)


async def _load_status(
    caller: Caller, run_id: str, *, users: AsyncEngine, warehouse: AsyncEngine
) -> ScrapeStatus:
    views = await list_requested(users, caller, run_id)
    state = combined([view.state for view in views])
    has_record = len(views) == 1 and state is ScrapeState.SUCCEEDED
    deferrals = [view.deferred_until for view in views if view.deferred_until is not None]
    return ScrapeStatus(
        run_id=run_id,
        state=state,
        companies=[CompanyState.model_validate(view) for view in views],
        data=await load_current_record(warehouse, views[0].idno) if has_record else None,
        error=next((view.error for view in views if view.state is state and view.error), None),
        deferred_until=min(deferrals, default=None),
    )


def _topics(views: Sequence[ScrapeView]) -> frozenset[str]:
    return frozenset(str(view.scrape_id) for view in views)


async def cancel(users: AsyncEngine, wakeups: WakeupBus, caller: Caller, run_id: str) -> None:
    """Cancel the caller's single requests for the companies of a run; requests of batches stay. Raises NotFound.

    Requests whose scrape has ended are not changed. The reconciler terminates the run if more than half of its
    unfinished companies have no other request.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound(_NOT_FOUND)
    async with users.begin() as connection:
        scrape_ids = await repository.cancel_requests_for_run(
            connection, run_id=run_id, user_id=caller.user_id
        )
    if scrape_ids is None:
        raise NotFound(_NOT_FOUND)
    await wakeups.publish(WORK, *map(str, scrape_ids))
