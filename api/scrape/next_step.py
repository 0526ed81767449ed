"""Decisions on the next state of a scrape, from its run's result, its run's status and its own row. No I/O."""

from dataclasses import dataclass
from datetime import datetime

from api.dagster.dagster_client import RunStatus
from api.scrape.repository import REQUEST_CANCELLED, OpenScrape
from api.scrape.states import OPEN_STATE_OF_RUN, STATE_OF_OUTCOME, ScrapeState
from warehouse.contract import Outcome, RunResult
from warehouse.records.models import CompanyResult

MAX_LOST_RUNS = 3
"""A scrape fails when this number of runs have ended without a result for its company."""


@dataclass(frozen=True)
class NextStep:
    """A scrape's next state. The state LAUNCHING means that the scrape moves into a new launch."""

    scrape: OpenScrape
    state: ScrapeState
    outcome: Outcome | None = None
    attempts: int | None = None
    error: str | None = None
    deferred_until: datetime | None = None
    is_lost: bool = False
    """The scrape's run ended without a result for its company."""


def after_result(scrape: OpenScrape, result: CompanyResult) -> NextStep:
    """Return the step for a scrape whose run has stored a result for the company."""
    if result.result is RunResult.DEFERRED:
        return NextStep(
            scrape, ScrapeState.DEFERRED, error=result.reason, deferred_until=result.deferred_until
        )
    assert result.outcome is not None  # guaranteed by a constraint of the table
    if result.outcome is not Outcome.OK:
        state = STATE_OF_OUTCOME.get(result.outcome, ScrapeState.FAILED)
        return NextStep(scrape, state, result.outcome, result.attempts, result.error or result.reason)
    if result.is_transformed:
        return NextStep(scrape, ScrapeState.SUCCEEDED, result.outcome, result.attempts)
    error = "the company was captured, but not transformed"
    error += f": {result.reason}" if result.reason else ""
    return NextStep(scrape, ScrapeState.FAILED, result.outcome, result.attempts, error)


def after_status(scrape: OpenScrape, status: RunStatus | None) -> NextStep | None:
    """Return the step for a scrape without a result whose run is open; None if the scrape's state is up to date."""
    state = OPEN_STATE_OF_RUN.get(status) if status else None
    return NextStep(scrape, state) if state not in (None, scrape.state) else None


def has_run_ended(status: RunStatus | None) -> bool:
    """Return whether a run has ended. A run that Dagster does not know (its status is None) counts as ended."""
    return status is None or status not in OPEN_STATE_OF_RUN


def after_run_end(scrape: OpenScrape, status: RunStatus | None, *, is_transformed: bool | None) -> NextStep:
    """Return the step for a scrape whose run has ended without a result for the company.

    `is_transformed` says whether the run's good capture of the company was transformed; None: there is no good capture.
    """
    if is_transformed:
        return NextStep(scrape, ScrapeState.SUCCEEDED, Outcome.OK)
    if not scrape.is_requested:
        return NextStep(scrape, ScrapeState.CANCELLED, error=REQUEST_CANCELLED)
    if scrape.is_cancelled:
        # The API terminated the run because most requests for its other companies were cancelled.
        return NextStep(scrape, ScrapeState.LAUNCHING)
    if status is RunStatus.CANCELED:
        return NextStep(scrape, ScrapeState.CANCELLED, error="the run was cancelled")
    if scrape.lost_runs + 1 < MAX_LOST_RUNS:
        return NextStep(scrape, ScrapeState.LAUNCHING, is_lost=True)
    ended = f"the run ended with {status}" if status else "Dagster no longer knows the run"
    stored = "was not captured" if is_transformed is None else "was captured, but not transformed"
    error = f"{ended}, the company {stored}; {MAX_LOST_RUNS} runs were tried"
    return NextStep(scrape, ScrapeState.FAILED, error=error, is_lost=True)


def after_deferral(scrape: OpenScrape, *, now: datetime) -> NextStep | None:
    """Return the step for a deferred scrape; None if it stays deferred."""
    if not scrape.is_requested:
        return NextStep(scrape, ScrapeState.CANCELLED, error=REQUEST_CANCELLED)
    assert scrape.deferred_until is not None  # guaranteed by a constraint of the table
    return NextStep(scrape, ScrapeState.LAUNCHING) if scrape.deferred_until <= now else None
