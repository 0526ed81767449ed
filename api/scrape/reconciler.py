"""Keeps scrapes true to what became of their runs, so that every accepted request ends in a visible state.

It asks Dagster about the runs of open scrapes, and the warehouse what the runs stored. It runs in every API
process; what it writes, it writes only onto open scrapes, so that two of them do no harm.
"""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from api.dagster.client import DagsterUnavailable, RunStatus
from api.scrape import repository
from api.scrape.repository import Scrape
from api.scrape.states import OPEN_STATE_OF_RUN, STATE_OF_OUTCOME, ScrapeState
from api.services import Services
from warehouse.contract import Outcome
from warehouse.queries import is_transformed_since, load_outcomes

logger = logging.getLogger(__name__)

_BUSY_SECONDS = 0.5
_IDLE_SECONDS = 2.0
_LAUNCH_LIMIT = timedelta(seconds=90)
_MOST_RUNS_A_QUERY = 100


async def reconcile_forever(services: Services) -> None:
    """Reconcile until cancelled; an outage is waited out."""
    while True:
        pause = _IDLE_SECONDS
        try:
            if await reconcile(services):
                pause = _BUSY_SECONDS
        except Exception as error:  # whatever it is, the next turn may do better; the loop must not end
            logger.warning("reconciling failed, trying again: %s: %s", type(error).__name__, error)
        await asyncio.sleep(pause)


async def reconcile(services: Services) -> int:
    """Bring every open scrape up to date once; return how many were open."""
    async with services.users.connect() as connection:
        opened = await repository.list_open(connection)
    for scrape in opened:
        if scrape.run_id is None and datetime.now(UTC) - scrape.created_at > _LAUNCH_LIMIT:
            await _one(scrape, _recover_launch(services, scrape))
    running = [scrape for scrape in opened if scrape.run_id is not None]
    for start in range(0, len(running), _MOST_RUNS_A_QUERY):
        await _follow(services, running[start : start + _MOST_RUNS_A_QUERY])
    return len(opened)


async def _one(scrape: Scrape, work: Awaitable[None]) -> None:
    """Do what one scrape needs; its trouble must not keep the others waiting."""
    try:
        await work
    except Exception as error:
        logger.warning("scrape %s stays open for now: %s: %s", scrape.id, type(error).__name__, error)


async def _recover_launch(services: Services, scrape: Scrape) -> None:
    """A launch whose answer never came: its run, if there is one, carries the scrape's id as a tag."""
    run_id = await services.dagster.find_run(scrape.id)
    async with services.users.begin() as connection:
        if run_id is not None:
            await repository.launched(connection, scrape.id, run_id)
        else:
            await repository.finish(
                connection, scrape.id, ScrapeState.FAILED, "its run could not be launched"
            )


async def _follow(services: Services, scrapes: list[Scrape]) -> None:
    try:
        statuses = await services.dagster.statuses([str(scrape.run_id) for scrape in scrapes])
    except DagsterUnavailable as error:
        logger.info("open scrapes stay as they are: %s", error)
        return
    for scrape in scrapes:
        status = statuses.get(str(scrape.run_id))
        state = OPEN_STATE_OF_RUN.get(status) if status else None
        if state is None:
            await _one(scrape, _finish(services, scrape, status))
        elif state is not scrape.state:
            async with services.users.begin() as connection:
                await repository.set_open_state(connection, scrape.id, state)


async def _finish(services: Services, scrape: Scrape, status: RunStatus | None) -> None:
    async with services.warehouse.connect() as connection:
        state, error = await connection.run_sync(_ending, scrape, status)
    async with services.users.begin() as connection:
        await repository.finish(connection, scrape.id, state, error)


def _ending(
    connection: Connection, scrape: Scrape, status: RunStatus | None
) -> tuple[ScrapeState, str | None]:
    """What a run that is over came to: by what it stored, whatever became of it afterwards."""
    run_id = str(scrape.run_id)
    outcome = next((found for found in load_outcomes(connection, run_id) if found.idno == scrape.idno), None)
    if outcome is not None and outcome.outcome is Outcome.OK:
        if is_transformed_since(connection, scrape.idno, run_id):
            return ScrapeState.SUCCEEDED, None
    elif outcome is not None and outcome.outcome is not None:
        return STATE_OF_OUTCOME.get(outcome.outcome, ScrapeState.FAILED), outcome.error
    if status is RunStatus.CANCELED:
        return ScrapeState.CANCELLED, "the run was cancelled"
    if status is None:
        return ScrapeState.FAILED, "Dagster no longer knows the run"
    stored = "was captured, but not transformed" if outcome is not None else "was not captured"
    return ScrapeState.FAILED, f"the run ended with {status}, the company {stored}"
