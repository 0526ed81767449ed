"""The way of a request: from the cache, or by one run that all who ask share."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.callers import Caller
from api.auth.roles import Role
from api.companies.service import current_record
from api.dagster.dagster_client import DagsterUnavailable, LaunchUnclear
from api.metrics.process_metrics import process_metrics
from api.problems import NotFound, Unavailable
from api.runtime.wakeups import WORK
from api.scrape import launches, launching, repository
from api.scrape.launches import Launch, LaunchOrigin
from api.scrape.repository import RequestedScrape
from api.scrape.schemas import CompanyState, ScrapeStatus
from api.scrape.states import ScrapeState, combined
from api.scrape.waiting import STREAM_SECONDS, look_until_over, wait_until_over
from api.services import Services
from warehouse.contract import RunKind
from warehouse.records.models import CompanyRecord

logger = logging.getLogger(__name__)

_RUN_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_NOT_ASKED_FOR = "no run with this id was requested by you"
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class RecordedRequest:
    """A request that has been written down: for which scrape, in which launch."""

    id: int
    scrape_id: UUID
    launch_id: UUID
    own_launch: Launch | None
    """To be launched by whoever asked."""
    taken_from: UUID | None
    """The launch for many that the scrape was taken out of, so that a person does not wait for them."""


@dataclass(frozen=True)
class Fetch:
    """A run that fetches a company, and how far it has come; the record once it has succeeded."""

    run_id: str
    state: ScrapeState = ScrapeState.QUEUED
    record: CompanyRecord | None = None


async def fetch(services: Services, caller: Caller, idno: str, *, force_refresh: bool, wait: float) -> Fetch:
    """Have a company fetched for the caller by the run under way, or a new one; wait for the end for so many seconds.

    Raises Unavailable where no run can be had; nothing stays behind then.
    """
    async with services.users.begin() as connection:
        request = await _write_down(connection, caller, idno, force_refresh=force_refresh)
    try:
        run_id = await _launch_or_join(services, request)
    except Unavailable:
        process_metrics().answers.labels("unavailable").inc()
        raise
    how = "joined" if request.own_launch is None else "launched"
    process_metrics().answers.labels(how).inc()
    about = {"idno": idno, "run_id": run_id, "launch_id": request.launch_id, "user": caller.username}
    logger.info("scrape accepted, %s", how, extra=about)
    if not wait:
        return Fetch(run_id)
    look = partial(_look_at, services, request.scrape_id)
    try:
        seen = await wait_until_over(services, look, topics=frozenset([str(request.scrape_id)]), seconds=wait)
        found = seen.state is ScrapeState.SUCCEEDED
        return Fetch(run_id, seen.state, await current_record(services, idno) if found else None)
    except (SQLAlchemyError, OSError) as error:  # the run goes on, whatever does not answer now
        logger.info("could not wait for run %s: %s", run_id, type(error).__name__)
        return Fetch(run_id)


async def _look_at(services: Services, scrape_id: UUID) -> RequestedScrape:
    async with services.users.connect() as connection:
        return await repository.find(connection, scrape_id)


async def _launch_or_join(services: Services, request: RecordedRequest) -> str:
    """Return the id of the run that a request leads to. Raises Unavailable."""
    if request.own_launch is None:
        return await _run_of(services, request)
    try:
        return await launching.send(services, request.own_launch)
    except (LaunchUnclear, TimeoutError) as error:
        # The claim on the launch ends by itself; then the reconciler looks for the run by its tag.
        logger.warning("launch %s: %s", request.launch_id, error)
        raise Unavailable("Dagster did not answer in time; ask again in a moment", 10) from error
    except DagsterUnavailable as error:
        logger.warning("launch %s: %s", request.launch_id, error)
        await _forget(services, request)
        raise Unavailable(f"no run can be launched: {error}") from error


async def _write_down(
    connection: AsyncConnection, caller: Caller, idno: str, *, force_refresh: bool
) -> RecordedRequest:
    found, new = await repository.open_or_join(connection, [idno])
    scrape_id = found[idno]
    request_id = await repository.add_request(
        connection, scrape_id=scrape_id, user_id=caller.user_id, force_refresh=force_refresh
    )
    taken_from = None
    if not new:
        [scrape] = await repository.list_open(connection, scrape_id)
        if not scrape.is_bulk or scrape.state is ScrapeState.DEFERRED:
            return RecordedRequest(request_id, scrape_id, scrape.launch_id, own_launch=None, taken_from=None)
        taken_from = scrape.launch_id
    launch_id = await launches.create(
        connection,
        [scrape_id],
        kind=RunKind.PERSON,
        requested_by=caller.username,
        origin=LaunchOrigin.here(),
        is_claimed=True,
    )
    launch = await launches.read(connection, launch_id)
    return RecordedRequest(request_id, scrape_id, launch_id, own_launch=launch, taken_from=taken_from)


async def _forget(services: Services, request: RecordedRequest) -> None:
    """Take a request back for which there is no run; others may have asked for the same in the meantime."""
    async with services.users.begin() as connection:
        if request.taken_from is not None:
            await repository.put_back(
                connection, request.scrape_id, new=request.launch_id, old=request.taken_from
            )
        await repository.drop_request(connection, request.id, request.scrape_id)
        await launches.drop_empty(connection, request.launch_id)
    await services.wakeups.publish(WORK, str(request.scrape_id))


async def _run_of(services: Services, request: RecordedRequest) -> str:
    """Wait until whoever launches the run that is shared knows its id."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + launching.LONGEST_LAUNCH_SECONDS
    reason: str | None = None
    with services.wakeups.subscribe([str(request.scrape_id)]) as watch:
        while reason is None and loop.time() < deadline:
            async with services.users.connect() as connection:
                found = await launches.find_run(connection, request.scrape_id)
            if found is None:
                break
            run_id, reason = found
            if run_id is not None:
                return run_id
            await watch.wait(seconds=_LOOK_SECONDS)
    async with services.users.begin() as connection:
        await repository.drop_request(connection, request.id, request.scrape_id)
        await launches.drop_empty(connection, request.launch_id)
    raise Unavailable(f"no run can be launched: {reason or 'Dagster did not answer in time'}")


async def read_asked(services: Services, caller: Caller, run_id: str) -> Sequence[RequestedScrape]:
    """Return where the companies stand that the caller asked for of those of a run. Raises NotFound."""
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound(_NOT_ASKED_FOR)
    async with services.users.connect() as connection:
        by = None if caller.role is Role.ADMIN else caller.user_id
        asked = await repository.list_asked(connection, run_id=run_id, user_id=by)
    if not asked:
        raise NotFound(_NOT_ASKED_FOR)
    return asked


async def read_status(services: Services, caller: Caller, run_id: str, *, wait: float = 0.0) -> ScrapeStatus:
    """Return where a run that the caller asked for stands, once it is over or the time is up. Raises NotFound."""
    look = partial(_status, services, caller, run_id)
    status = await look()
    if status.is_over or not wait:
        return status
    asked = await read_asked(services, caller, run_id)
    return await wait_until_over(services, look, topics=_topics(asked), seconds=wait)


async def stream_status(
    services: Services, caller: Caller, run_id: str, asked: Sequence[RequestedScrape]
) -> AsyncGenerator[ScrapeStatus, None]:
    """Yield where a run stands, at once and whenever that changes, until it is over (or for ten minutes)."""
    look = partial(_status, services, caller, run_id)
    shown = None
    async with aclosing(
        look_until_over(services, look, topics=_topics(asked), seconds=STREAM_SECONDS)
    ) as looks:
        async for status in looks:
            if status != shown:
                yield (shown := status)


async def _status(services: Services, caller: Caller, run_id: str) -> ScrapeStatus:
    asked = await read_asked(services, caller, run_id)
    state = combined([each.state for each in asked])
    is_one = len(asked) == 1 and state is ScrapeState.SUCCEEDED
    waits = [each.deferred_until for each in asked if each.deferred_until is not None]
    return ScrapeStatus(
        run_id=run_id,
        state=state,
        companies=[CompanyState.model_validate(each) for each in asked],
        data=await current_record(services, asked[0].idno) if is_one else None,
        error=next((each.error for each in asked if each.state is state and each.error), None),
        deferred_until=min(waits, default=None),
    )


def _topics(asked: Sequence[RequestedScrape]) -> frozenset[str]:
    return frozenset(str(each.scrape_id) for each in asked)


async def withdraw(services: Services, caller: Caller, run_id: str) -> None:
    """Withdraw the caller's own requests for companies of a run, those of batches aside. Raises NotFound.

    Nothing happens to what has ended. The reconciler ends the run if nobody else wants it.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound(_NOT_ASKED_FOR)
    async with services.users.begin() as connection:
        ids = await repository.withdraw_from_run(connection, run_id=run_id, user_id=caller.user_id)
    if ids is None:
        raise NotFound(_NOT_ASKED_FOR)
    await services.wakeups.publish(WORK, *map(str, ids))
