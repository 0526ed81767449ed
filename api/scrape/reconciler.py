"""The reconciler: keeps scrapes consistent with their runs, so that every accepted request reaches a final state.

It runs in every API process. Several reconcilers, and one that dies at any point, do no harm:

- A scrape's next state is decided from its row, the warehouse and Dagster, which all outlive the process. The next
  pass, in this or another process, makes the same decision.
- To apply a step, the reconciler locks the scrape's row. It drops the step if the scrape has ended or is in another
  launch than when the step was decided. A scrape moves into a new launch in the transaction that creates this launch.
  Each launch has a new id, so a late step is always recognized.
- Launching is a separate step (`launching`): a launch without a run waits until a process claims it.

The reconciler loads the statuses of runs before their results. A run that had ended by then has already stored all its
results. If such a run has no result for a company, none will come, so its scrape has to be launched again or fails.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from api.dagster.dagster_client import DagsterClient, DagsterUnavailable, RunStatus
from api.metrics.process_metrics import process_metrics
from api.runtime.wakeups import WORK
from api.scrape import launches, repository
from api.scrape.launches import in_parts
from api.scrape.launching import launch_unclaimed
from api.scrape.next_step import (
    NextStep,
    after_deferral,
    after_result,
    after_run_end,
    after_status,
    has_run_ended,
)
from api.scrape.repository import OpenScrape
from api.scrape.states import OPEN_STATES, ScrapeState
from api.services import Services
from warehouse.contract import RunKind
from warehouse.records.queries import load_good_captures, load_results

logger = logging.getLogger(__name__)

_MIN_PAUSE_SECONDS = 0.1
_BUSY_SECONDS = 0.5
_IDLE_SECONDS = 2.0
_MAX_RUNS_PER_QUERY = 100
_MAX_COMPANIES_PER_QUERY = 500


async def reconcile_forever(services: Services) -> None:
    """Reconcile scrapes and launch runs until cancelled. A pass that fails, for example in an outage, is repeated."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_repeat(services, reconcile))
        tasks.create_task(_repeat(services, launch_unclaimed))


async def _repeat(services: Services, run_pass: Callable[[Services], Awaitable[int]]) -> None:
    """Run passes: soon after a wake-up, and at regular intervals."""
    with services.wakeups.subscribe([WORK]) as subscription:
        while True:
            pause = _IDLE_SECONDS
            try:
                if await run_pass(services):
                    pause = _BUSY_SECONDS
            except DagsterUnavailable as error:
                logger.info("launches wait for Dagster: %s", error)
            except Exception:  # the loop must not end; the next pass may succeed
                logger.warning("reconciling failed, retrying", exc_info=True)
            await asyncio.sleep(_MIN_PAUSE_SECONDS)
            await subscription.wait(seconds=pause)


async def reconcile(services: Services) -> int:
    """Update every open scrape once; return how many scrapes were open."""
    async with services.users.connect() as connection:
        open_scrapes = await repository.list_open(connection)
    deferred = [scrape for scrape in open_scrapes if scrape.state is ScrapeState.DEFERRED]
    now = datetime.now(UTC)
    await apply(services, [step for scrape in deferred if (step := after_deferral(scrape, now=now))])
    in_run = [
        scrape
        for scrape in open_scrapes
        if scrape.run_id is not None and scrape.state in (ScrapeState.QUEUED, ScrapeState.RUNNING)
    ]
    if in_run:
        await _follow_runs(services, in_run)
    return len(open_scrapes)


async def _follow_runs(services: Services, in_run: Sequence[OpenScrape]) -> None:
    """Apply the steps that follow from the results and the statuses of runs."""
    statuses = await _load_statuses(services.dagster, in_run)
    steps: list[NextStep] = []
    unfinished: list[OpenScrape] = []
    lost: list[OpenScrape] = []
    for part in in_parts(in_run, _MAX_COMPANIES_PER_QUERY):
        async with services.warehouse.connect() as connection:
            stored = await connection.run_sync(load_results, [_result_key(scrape) for scrape in part])
        results = {(result.run_id, result.idno): result for result in stored}
        for scrape in part:
            if result := results.get(_result_key(scrape)):
                steps.append(after_result(scrape, result))
            elif statuses is not None:
                has_ended = has_run_ended(statuses.get(str(scrape.run_id)))
                (lost if has_ended else unfinished).append(scrape)
    if statuses is not None:
        steps += [
            step for scrape in unfinished if (step := after_status(scrape, statuses[str(scrape.run_id)]))
        ]
        steps += await _steps_after_run_end(services.warehouse, lost, statuses)
    await apply(services, steps)
    if statuses is not None:
        await _terminate_unrequested(services.users, services.dagster, unfinished, statuses)


async def _load_statuses(
    dagster: DagsterClient, in_run: Sequence[OpenScrape]
) -> Mapping[str, RunStatus] | None:
    """Return the status of each run that Dagster knows; None if Dagster does not answer."""
    statuses: dict[str, RunStatus] = {}
    try:
        for run_ids in in_parts(sorted({str(scrape.run_id) for scrape in in_run}), _MAX_RUNS_PER_QUERY):
            statuses |= await dagster.statuses(run_ids)
    except DagsterUnavailable as error:
        logger.info("cannot load run statuses, using only stored results: %s", error)
        return None
    return statuses


async def _steps_after_run_end(
    warehouse: AsyncEngine, lost: Sequence[OpenScrape], statuses: Mapping[str, RunStatus]
) -> list[NextStep]:
    good_captures: dict[tuple[str, str], bool] = {}
    for part in in_parts(lost, _MAX_COMPANIES_PER_QUERY):
        async with warehouse.connect() as connection:
            keys = [_result_key(scrape) for scrape in part]
            good_captures |= await connection.run_sync(load_good_captures, keys)
    return [
        after_run_end(
            scrape,
            statuses.get(str(scrape.run_id)),
            is_transformed=good_captures.get(_result_key(scrape)),
        )
        for scrape in lost
    ]


async def _terminate_unrequested(
    users: AsyncEngine,
    dagster: DagsterClient,
    unfinished: Sequence[OpenScrape],
    statuses: Mapping[str, RunStatus],
) -> None:
    """Terminate runs in which the requests for more than half of the unfinished companies are cancelled.

    The other companies of such a run are launched again.
    """
    by_run: dict[str, list[OpenScrape]] = defaultdict(list)
    for scrape in unfinished:
        by_run[str(scrape.run_id)].append(scrape)
    launch_of_run = {
        run_id: scrapes[0].launch_id
        for run_id, scrapes in by_run.items()
        if statuses[run_id] is not RunStatus.CANCELING
        and (scrapes[0].is_cancelled or sum(not scrape.is_requested for scrape in scrapes) * 2 > len(scrapes))
    }
    if not launch_of_run:
        return
    # Recorded before the termination: a reconciler that finds the ended run must know that the API terminated it.
    async with users.begin() as connection:
        await launches.mark_cancelled(connection, list(launch_of_run.values()))
    for run_id in launch_of_run:
        await dagster.terminate(run_id)


async def apply(services: Services, steps: Sequence[NextStep]) -> None:
    """Apply the steps that are still valid, and wake the clients that wait for these scrapes."""
    if not steps:
        return
    async with services.users.begin() as connection:
        current_launch = await repository.lock_open(connection, [step.scrape.id for step in steps])
        valid = [step for step in steps if current_launch.get(step.scrape.id) == step.scrape.launch_id]
        if not valid:
            return
        await repository.update_states(connection, [_column_values(step) for step in valid])
        to_launch = [step.scrape for step in valid if step.state is ScrapeState.LAUNCHING]
        for kind in RunKind:
            ids = [scrape.id for scrape in to_launch if scrape.is_for_person is (kind is RunKind.PERSON)]
            await launches.create_in_parts(
                connection, ids, kind=kind, run_companies=services.settings.run_companies
            )
    for step in valid:
        if step.state not in OPEN_STATES:
            _report_end(step)
    topics = [str(step.scrape.id) for step in valid]
    await services.wakeups.publish(*topics, *([WORK] if to_launch else []))


def _report_end(step: NextStep) -> None:
    process_metrics().ended.labels(step.state).inc()
    scrape = step.scrape
    result = {"idno": scrape.idno, "state": step.state, "outcome": step.outcome, "error": step.error}
    ids = {"run_id": scrape.run_id, "request_id": scrape.request_id, "scrape_id": scrape.id}
    logger.info("scrape ended", extra={**result, **ids, "attempts": step.attempts})


def _column_values(step: NextStep) -> dict[str, object]:
    return {
        "scrape_id": step.scrape.id,
        "state": step.state,
        "outcome": step.outcome,
        "attempts": step.attempts,
        "error": step.error,
        "deferred_until": step.deferred_until,
        "lost_runs": step.scrape.lost_runs + step.is_lost,
        "has_ended": step.state not in OPEN_STATES,
    }


def _result_key(scrape: OpenScrape) -> tuple[str, str]:
    return str(scrape.run_id), scrape.idno
