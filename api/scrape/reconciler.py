"""Keeps scrapes true to what became of their runs, so that every accepted request ends in a visible state.

It runs in every API process, and several do no harm, nor does one that dies at any point:

- What a scrape's next state is, is decided from its row, what the warehouse holds and what Dagster says, all of which
  outlive the process. The next turn, here or elsewhere, decides the same again.
- A step is taken under the row's lock, and only if the scrape is still open and still in the launch that the step was
  decided for. A scrape that goes into a new launch does so in the transaction that makes the launch; launches have new
  ids, so that a step decided late finds another launch in the row, and is dropped.
- Launching is a step of its own (`launching`): a launch without a run waits until somebody has claimed it.

Statuses are asked for before results are read: a run that was over by then has written all that it will, so that
a company without a result was lost, and not just late.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from api.dagster.dagster_client import DagsterUnavailable, RunStatus
from api.metrics.process_metrics import process_metrics
from api.runtime.wakeups import WORK
from api.scrape import launches, repository
from api.scrape.launches import in_parts
from api.scrape.launching import launch_waiting
from api.scrape.next_step import NextStep, by_end, by_result, by_status, by_time, is_over
from api.scrape.repository import OpenScrape
from api.scrape.states import OPEN_STATES, ScrapeState
from api.services import Services
from warehouse.contract import RunKind
from warehouse.records.queries import load_good_captures, load_results

logger = logging.getLogger(__name__)

_SHORTEST_PAUSE_SECONDS = 0.1
_BUSY_SECONDS = 0.5
_IDLE_SECONDS = 2.0
_MOST_RUNS_A_QUERY = 100
_MOST_COMPANIES_A_QUERY = 500


async def reconcile_forever(services: Services) -> None:
    """Reconcile until cancelled; an outage is waited out."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_repeat(services, reconcile))
        tasks.create_task(_repeat(services, launch_waiting))


async def _repeat(services: Services, turn: Callable[[Services], Awaitable[int]]) -> None:
    """Take turns, soon after something is announced, and by time."""
    with services.wakeups.subscribe([WORK]) as watch:
        while True:
            pause = _IDLE_SECONDS
            try:
                if await turn(services):
                    pause = _BUSY_SECONDS
            except DagsterUnavailable as error:
                logger.info("what waits, waits on: %s", error)
            except Exception as error:  # whatever it is, the next turn may do better; the loop must not end
                logger.warning("reconciling failed, trying again: %s: %s", type(error).__name__, error)
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)
            await watch.wait(seconds=pause)


async def reconcile(services: Services) -> int:
    """Bring every open scrape up to date once; return how many were open."""
    async with services.users.connect() as connection:
        opened = await repository.list_open(connection)
    deferred = [scrape for scrape in opened if scrape.state is ScrapeState.DEFERRED]
    now = datetime.now(UTC)
    await take(services, [step for scrape in deferred if (step := by_time(scrape, now=now))])
    running = [
        scrape
        for scrape in opened
        if scrape.run_id is not None and scrape.state in (ScrapeState.QUEUED, ScrapeState.RUNNING)
    ]
    if running:
        await _follow(services, running)
    return len(opened)


async def _follow(services: Services, running: Sequence[OpenScrape]) -> None:
    """Do what the results and the statuses of runs ask for."""
    statuses = await _statuses(services, running)
    steps: list[NextStep] = []
    unfinished: list[OpenScrape] = []
    lost: list[OpenScrape] = []
    for part in in_parts(running, _MOST_COMPANIES_A_QUERY):
        async with services.warehouse.connect() as connection:
            found = await connection.run_sync(load_results, [_pair(scrape) for scrape in part])
        results = {(result.run_id, result.idno): result for result in found}
        for scrape in part:
            if result := results.get(_pair(scrape)):
                steps.append(by_result(scrape, result))
            elif statuses is not None:
                over = is_over(statuses.get(str(scrape.run_id)))
                (lost if over else unfinished).append(scrape)
    if statuses is not None:
        steps += [step for scrape in unfinished if (step := by_status(scrape, statuses[str(scrape.run_id)]))]
        steps += await _endings(services, lost, statuses)
    await take(services, steps)
    if statuses is not None:
        await _end_unwanted(services, unfinished, statuses)


async def _statuses(services: Services, running: Sequence[OpenScrape]) -> Mapping[str, RunStatus] | None:
    """Return the status of each run that Dagster knows; None if it does not answer."""
    statuses: dict[str, RunStatus] = {}
    try:
        for run_ids in in_parts(sorted({str(scrape.run_id) for scrape in running}), _MOST_RUNS_A_QUERY):
            statuses |= await services.dagster.statuses(run_ids)
    except DagsterUnavailable as error:
        logger.info("runs are followed by their results alone: %s", error)
        return None
    return statuses


async def _endings(
    services: Services, lost: Sequence[OpenScrape], statuses: Mapping[str, RunStatus]
) -> list[NextStep]:
    captured: dict[tuple[str, str], bool] = {}
    for part in in_parts(lost, _MOST_COMPANIES_A_QUERY):
        async with services.warehouse.connect() as connection:
            captured |= await connection.run_sync(load_good_captures, [_pair(scrape) for scrape in part])
    return [
        by_end(scrape, statuses.get(str(scrape.run_id)), is_transformed=captured.get(_pair(scrape)))
        for scrape in lost
    ]


async def _end_unwanted(
    services: Services, unfinished: Sequence[OpenScrape], statuses: Mapping[str, RunStatus]
) -> None:
    """End runs of which more is left that nobody wants than that somebody wants; the latter is launched again."""
    left: dict[str, list[OpenScrape]] = defaultdict(list)
    for scrape in unfinished:
        left[str(scrape.run_id)].append(scrape)
    doomed = {
        run_id: scrapes[0].launch_id
        for run_id, scrapes in left.items()
        if statuses[run_id] is not RunStatus.CANCELING
        and (scrapes[0].is_cancelled or sum(not each.is_wanted for each in scrapes) * 2 > len(scrapes))
    }
    if not doomed:
        return
    # First written down, then done: whoever finds the run ended must know that it was us.
    async with services.users.begin() as connection:
        await launches.mark_cancelled(connection, list(doomed.values()))
    for run_id in doomed:
        await services.dagster.terminate(run_id)


async def take(services: Services, steps: Sequence[NextStep]) -> None:
    """Take steps, as far as they still apply, and tell who waits."""
    if not steps:
        return
    async with services.users.begin() as connection:
        current = await repository.lock(connection, [step.scrape.id for step in steps])
        due = [step for step in steps if current.get(step.scrape.id) == step.scrape.launch_id]
        if not due:
            return
        await repository.move(connection, [_values(step) for step in due])
        again = [step.scrape for step in due if step.state is ScrapeState.LAUNCHING]
        for kind in RunKind:
            ids = [scrape.id for scrape in again if scrape.is_for_person is (kind is RunKind.PERSON)]
            await launches.create_in_parts(
                connection, ids, kind=kind, run_companies=services.settings.run_companies
            )
    for step in due:
        if step.state not in OPEN_STATES:
            _tell_end(step)
    await services.wakeups.publish(*(str(step.scrape.id) for step in due), *([WORK] if again else []))


def _tell_end(step: NextStep) -> None:
    process_metrics().ended.labels(step.state).inc()
    scrape = step.scrape
    about = {"idno": scrape.idno, "state": step.state, "outcome": step.outcome, "error": step.error}
    ids = {"run_id": scrape.run_id, "request_id": scrape.request_id, "scrape_id": scrape.id}
    logger.info("scrape ended", extra={**about, **ids, "attempts": step.attempts})


def _values(step: NextStep) -> dict[str, object]:
    return {
        "scrape_id": step.scrape.id,
        "state": step.state,
        "outcome": step.outcome,
        "attempts": step.attempts,
        "error": step.error,
        "deferred_until": step.deferred_until,
        "lost_runs": step.scrape.lost_runs + step.is_lost,
        "is_over": step.state not in OPEN_STATES,
    }


def _pair(scrape: OpenScrape) -> tuple[str, str]:
    return str(scrape.run_id), scrape.idno
