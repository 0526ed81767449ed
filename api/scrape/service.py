"""The way of a request: from the cache, or by one run that all who ask share."""

import asyncio
import logging
import re
from uuid import UUID

from api.auth.callers import Caller
from api.auth.roles import Role
from api.companies.service import current_record
from api.dagster.client import DagsterUnavailable, LaunchUnclear
from api.errors import NotFound, Unavailable
from api.scrape import repository
from api.scrape.repository import Scrape
from api.scrape.schemas import ScrapeStatus
from api.scrape.states import ScrapeState
from api.services import Services
from warehouse.queries import load_outcomes
from warehouse.records import CompanyOutcome

logger = logging.getLogger(__name__)

_LONGEST_LAUNCH_SECONDS = 45
"""Shorter than the reconciler waits before it looks for the run itself."""
_RUN_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_JOIN_POLL_SECONDS = 0.1


async def start_or_join(services: Services, caller: Caller, idno: str, *, force_refresh: bool) -> str:
    """Return the id of the run that fetches a company for the caller: the one under way, or a new one.

    Raises Unavailable where no run can be had; nothing stays behind then.
    """
    async with services.users.begin() as connection:
        scrape, is_new = await repository.open_or_join(connection, idno)
        await repository.add_request(
            connection, scrape_id=scrape.id, user_id=caller.user_id, force_refresh=force_refresh
        )
    if is_new:
        return await _launch(services, scrape, caller)
    return scrape.run_id or await _launched_by_another(services, scrape.id)


async def _launch(services: Services, scrape: Scrape, caller: Caller) -> str:
    try:
        async with asyncio.timeout(_LONGEST_LAUNCH_SECONDS):
            await services.dagster.check()
            run_id = await services.dagster.launch_scrape(
                idno=scrape.idno, scrape_id=scrape.id, requested_by=caller.username
            )
    except (LaunchUnclear, TimeoutError) as error:
        # The reconciler looks for the run by its tag, and ends the scrape if there is none.
        logger.warning("scrape %s: %s", scrape.id, error)
        raise Unavailable("Dagster did not answer in time; ask again in a moment", 10) from error
    except DagsterUnavailable as error:
        logger.warning("scrape %s: %s", scrape.id, error)
        async with services.users.begin() as connection:
            await repository.drop(connection, scrape.id)
        raise Unavailable(f"no run can be launched: {error}") from error
    async with services.users.begin() as connection:
        if not await repository.launched(connection, scrape.id, run_id):
            raise Unavailable("the launch took too long and was given up; ask again", 10)
    return run_id


async def _launched_by_another(services: Services, scrape_id: UUID) -> str:
    """Wait until the request that opened a scrape knows its run."""
    deadline = asyncio.get_running_loop().time() + _LONGEST_LAUNCH_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        async with services.users.connect() as connection:
            scrape = await repository.find(connection, scrape_id)
        if scrape is None or (scrape.run_id is None and scrape.state is not ScrapeState.LAUNCHING):
            break
        if scrape.run_id is not None:
            return scrape.run_id
        await asyncio.sleep(_JOIN_POLL_SECONDS)
    raise Unavailable("no run could be launched for this company; ask again in a moment")


async def read_status(services: Services, caller: Caller, run_id: str) -> ScrapeStatus:
    """Return where a run that the caller asked for stands. Raises NotFound."""
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound("no run with this id was requested by you")
    async with services.users.connect() as connection:
        by = None if caller.role is Role.ADMIN else caller.user_id
        scrape = await repository.find_requested(connection, run_id=run_id, user_id=by)
    if scrape is None:
        raise NotFound("no run with this id was requested by you")
    async with services.warehouse.connect() as connection:
        outcomes = await connection.run_sync(load_outcomes, run_id)
    succeeded = scrape.state is ScrapeState.SUCCEEDED
    return ScrapeStatus(
        run_id=run_id,
        state=scrape.state,
        companies=outcomes or [CompanyOutcome(idno=scrape.idno, outcome=None, error=scrape.error)],
        data=await current_record(services, scrape.idno) if succeeded else None,
        error=scrape.error,
    )
