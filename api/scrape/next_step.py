"""What becomes of a scrape next, by what its run has reported, what it stored and where it stands. Pure."""

from dataclasses import dataclass
from datetime import datetime

from api.dagster.dagster_client import RunStatus
from api.scrape.repository import WITHDRAWN, OpenScrape
from api.scrape.states import OPEN_STATE_OF_RUN, STATE_OF_OUTCOME, ScrapeState
from warehouse.contract import Outcome, RunResult
from warehouse.records.models import CompanyResult

MOST_LOST_RUNS = 3
"""Runs that may end without being done with a company, before it is given up."""


@dataclass(frozen=True)
class NextStep:
    """A scrape's next state; LAUNCHING: into a new launch."""

    scrape: OpenScrape
    state: ScrapeState
    outcome: Outcome | None = None
    attempts: int | None = None
    error: str | None = None
    deferred_until: datetime | None = None
    is_lost: bool = False
    """Its run ended without being done with it."""


def by_result(scrape: OpenScrape, result: CompanyResult) -> NextStep:
    """What a run's result for the company means."""
    if result.result is RunResult.DEFERRED:
        return NextStep(
            scrape, ScrapeState.DEFERRED, error=result.reason, deferred_until=result.deferred_until
        )
    assert result.outcome is not None  # the table says so
    if result.outcome is not Outcome.OK:
        state = STATE_OF_OUTCOME.get(result.outcome, ScrapeState.FAILED)
        return NextStep(scrape, state, result.outcome, result.attempts, result.error or result.reason)
    if result.is_transformed:
        return NextStep(scrape, ScrapeState.SUCCEEDED, result.outcome, result.attempts)
    error = "the company was captured, but not transformed"
    error += f": {result.reason}" if result.reason else ""
    return NextStep(scrape, ScrapeState.FAILED, result.outcome, result.attempts, error)


def by_status(scrape: OpenScrape, status: RunStatus | None) -> NextStep | None:
    """What a run's status means for a company that it is not done with; None: nothing, or the run is over."""
    state = OPEN_STATE_OF_RUN.get(status) if status else None
    return NextStep(scrape, state) if state not in (None, scrape.state) else None


def is_over(status: RunStatus | None) -> bool:
    """Tell whether a run has ended, or Dagster knows of none."""
    return status is None or status not in OPEN_STATE_OF_RUN


def by_end(scrape: OpenScrape, status: RunStatus | None, *, is_transformed: bool | None) -> NextStep:
    """What the end of a run means for a company that it was not done with.

    `is_transformed` tells of the run's good capture of it, None: there is none.
    """
    if is_transformed:
        return NextStep(scrape, ScrapeState.SUCCEEDED, Outcome.OK)
    if not scrape.is_wanted:
        return NextStep(scrape, ScrapeState.CANCELLED, error=WITHDRAWN)
    if scrape.is_cancelled:
        return NextStep(scrape, ScrapeState.LAUNCHING)  # ended for others' sake
    if status is RunStatus.CANCELED:
        return NextStep(scrape, ScrapeState.CANCELLED, error="the run was cancelled")
    if scrape.lost_runs + 1 < MOST_LOST_RUNS:
        return NextStep(scrape, ScrapeState.LAUNCHING, is_lost=True)
    ended = f"the run ended with {status}" if status else "Dagster no longer knows the run"
    stored = "was not captured" if is_transformed is None else "was captured, but not transformed"
    error = f"{ended}, the company {stored}; {MOST_LOST_RUNS} runs were tried"
    return NextStep(scrape, ScrapeState.FAILED, error=error, is_lost=True)


def by_time(scrape: OpenScrape, *, now: datetime) -> NextStep | None:
    """What a deferred scrape does now; None: it waits on."""
    if not scrape.is_wanted:
        return NextStep(scrape, ScrapeState.CANCELLED, error=WITHDRAWN)
    assert scrape.deferred_until is not None  # the table says so
    return NextStep(scrape, ScrapeState.LAUNCHING) if scrape.deferred_until <= now else None
