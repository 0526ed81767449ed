"""Launching of runs: one process at a time works on a launch, and at most one run comes from it.

A process claims a launch before it launches the run. The claim is an update that only one process can win, and it
lasts longer than a launch can take (`launches.CLAIM_DURATION`). The run carries the launch's id as a tag. A process
that claims a launch again first looks for a run with this tag. So if an answer was lost, or a process died after it had
launched the run, the run is found and used, and no second run is launched.
"""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from api.dagster.dagster_client import DagsterFailed, DagsterUnavailable
from api.runtime.wakeups import WORK, WakeupBus
from api.scrape import launches
from api.scrape.launches import Launch
from api.services import Services
from telemetry import traces

logger = logging.getLogger(__name__)

LAUNCH_TIMEOUT_SECONDS = 45
_MAX_ATTEMPTS = 3
_MAX_CONCURRENT_LAUNCHES = 4
_REFUSAL_DELAY = timedelta(seconds=5)


async def launch_unclaimed(services: Services) -> int:
    """Launch runs for some unclaimed launches; return how many launches were found. Raises DagsterUnavailable."""
    async with services.users.connect() as connection:
        launch_ids = await launches.list_unclaimed(connection, limit=_MAX_CONCURRENT_LAUNCHES)
    if launch_ids:
        await services.dagster.check()
        results = await asyncio.gather(
            *(_claim_and_launch(services, launch_id) for launch_id in launch_ids), return_exceptions=True
        )
        for launch_id, result in zip(launch_ids, results, strict=True):
            if isinstance(result, BaseException):
                logger.warning("launch %s has no run yet: %s: %s", launch_id, type(result).__name__, result)
    return len(launch_ids)


async def _claim_and_launch(services: Services, launch_id: UUID) -> None:
    async with services.users.begin() as connection:
        if not await launches.claim(connection, launch_id):
            return
        launch = await launches.read(connection, launch_id)
    if launch is None or (launch.attempts > 1 and await _recover_run(services, launch)):
        return
    async with services.users.begin() as connection:
        ended = await launches.cancel_unrequested(connection, launch_id)
        if launch.attempts > _MAX_ATTEMPTS:
            reason = f"no run could be launched: {launch.error or 'Dagster did not answer'}"
            ended = [*ended, *await launches.fail(connection, launch_id, reason)]
        launch = await launches.read(connection, launch_id)
    if ended:
        await services.wakeups.publish(*map(str, ended))
    if launch is not None:
        await launch_claimed(services, launch)


async def _recover_run(services: Services, launch: Launch) -> bool:
    """Look for a run that an earlier attempt at this launch created, and store it; return whether there is one."""
    try:
        run_id = await services.dagster.find_run(launch.id)
    except DagsterUnavailable as error:
        await _release(services.users, launch, error)
        raise
    if run_id is not None:
        await _store_run(services.users, services.wakeups, launch.id, run_id)
    return run_id is not None


async def launch_claimed(services: Services, launch: Launch) -> str:
    """Launch the run of a launch that the caller has claimed; return the run's id.

    Raises:
        DagsterUnavailable: There is no run. The claim is released, so any process may try again.
        LaunchUnclear: There may be a run. The claim is kept until it expires.
        TimeoutError: The launch took too long. There may be a run, so the claim is kept until it expires.
    """
    origin = launch.origin
    with traces.span("launch", parent=origin.traceparent, request_id=origin.request_id):
        try:
            async with asyncio.timeout(LAUNCH_TIMEOUT_SECONDS):
                await services.dagster.check()
                run_id = await services.dagster.launch_scrape(
                    launch.idnos,
                    launch_id=launch.id,
                    kind=launch.kind,
                    requested_by=launch.requested_by,
                    since=launch.since,
                    request_id=origin.request_id,
                    traceparent=traces.traceparent(),
                )
        except DagsterUnavailable as error:
            await _release(services.users, launch, error)
            raise
        await _store_run(services.users, services.wakeups, launch.id, run_id)
    fields = {"run_id": run_id, "request_id": origin.request_id, "companies": len(launch.idnos)}
    logger.info("run launched", extra={**fields, "kind": launch.kind, "launch_id": launch.id})
    return run_id


async def _release(users: AsyncEngine, launch: Launch, error: DagsterUnavailable) -> None:
    """Release the claim on a launch. Count the attempt if Dagster answered with an error, but not in an outage."""
    is_refused = isinstance(error, DagsterFailed)
    delay = _REFUSAL_DELAY if is_refused else timedelta(0)
    async with users.begin() as connection:
        await launches.release(connection, launch.id, str(error), delay=delay, is_counted=is_refused)


async def _store_run(users: AsyncEngine, wakeups: WakeupBus, launch_id: UUID, run_id: str) -> None:
    async with users.begin() as connection:
        scrape_ids = await launches.store_run(connection, launch_id, run_id)
    await wakeups.publish(WORK, *map(str, scrape_ids))
