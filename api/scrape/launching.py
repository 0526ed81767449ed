"""Getting runs launched: each launch by one process at a time, with one run at the end of it.

A launch is a row before it is a run. Who wants to launch it claims it first, by an update that only one can win, for
longer than a launch can take (`launches.CLAIMED_FOR`). Its run carries the launch's id as a tag. Who claims one that
was claimed before looks for that run first: an answer that got lost, or a process that died in between, leaves a run
that is found and taken, and is not launched twice.
"""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

from api.dagster.dagster_client import DagsterFailed, DagsterUnavailable
from api.runtime.wakeups import WORK
from api.scrape import launches
from api.scrape.launches import Launch
from api.services import Services
from telemetry import traces

logger = logging.getLogger(__name__)

LONGEST_LAUNCH_SECONDS = 45
_MOST_ATTEMPTS = 3
_AT_ONCE = 4
_AFTER_A_REFUSAL = timedelta(seconds=5)


async def launch_waiting(services: Services) -> int:
    """Launch what waits for it, a few at a time; return how many there were."""
    async with services.users.connect() as connection:
        waiting = await launches.list_waiting(connection, limit=_AT_ONCE)
    if waiting:
        await services.dagster.check()
        results = await asyncio.gather(
            *(_launch(services, launch_id) for launch_id in waiting), return_exceptions=True
        )
        for launch_id, result in zip(waiting, results, strict=True):
            if isinstance(result, BaseException):
                logger.warning("launch %s: no run yet: %s: %s", launch_id, type(result).__name__, result)
    return len(waiting)


async def _launch(services: Services, launch_id: UUID) -> None:
    async with services.users.begin() as connection:
        if not await launches.claim(connection, launch_id):
            return
        launch = await launches.read(connection, launch_id)
    if launch is None or (launch.attempts > 1 and await _has_run(services, launch)):
        return
    async with services.users.begin() as connection:
        ended = await launches.end_unwanted(connection, launch_id)
        if launch.attempts > _MOST_ATTEMPTS:
            reason = f"no run could be launched for it: {launch.error or 'Dagster did not answer'}"
            ended = [*ended, *await launches.give_up(connection, launch_id, reason)]
        launch = await launches.read(connection, launch_id)
    if ended:
        await services.wakeups.publish(*map(str, ended))
    if launch is not None:
        await send(services, launch)


async def _has_run(services: Services, launch: Launch) -> bool:
    """Look for the run of a launch that was claimed before, and take it."""
    try:
        run_id = await services.dagster.find_run(launch.id)
    except DagsterUnavailable as error:
        await _release(services, launch, error)
        raise
    if run_id is not None:
        await _launched(services, launch.id, run_id)
    return run_id is not None


async def send(services: Services, launch: Launch) -> str:
    """Launch what the caller has claimed; return the run's id.

    Raises DagsterUnavailable if there is no run, then anybody may try again; LaunchUnclear or TimeoutError if there
    may be one, then the claim stands until it ends by itself.
    """
    origin = launch.origin
    with traces.span("launch", parent=origin.traceparent, request_id=origin.request_id):
        try:
            async with asyncio.timeout(LONGEST_LAUNCH_SECONDS):
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
            await _release(services, launch, error)
            raise
        await _launched(services, launch.id, run_id)
    about = {"run_id": run_id, "request_id": origin.request_id, "companies": len(launch.idnos)}
    logger.info("run launched", extra={**about, "kind": launch.kind, "launch_id": launch.id})
    return run_id


async def _release(services: Services, launch: Launch, error: DagsterUnavailable) -> None:
    """Let others try; a refusal counts, an outage does not."""
    is_refused = isinstance(error, DagsterFailed)
    wait = _AFTER_A_REFUSAL if is_refused else timedelta(0)
    async with services.users.begin() as connection:
        await launches.release(connection, launch.id, str(error), wait=wait, is_counted=is_refused)


async def _launched(services: Services, launch_id: UUID, run_id: str) -> None:
    async with services.users.begin() as connection:
        moved = await launches.launched(connection, launch_id, run_id)
    await services.wakeups.publish(WORK, *map(str, moved))
