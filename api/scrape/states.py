"""The states of a scrape."""

from collections.abc import Sequence
from enum import StrEnum

from api.dagster.dagster_client import RunStatus
from warehouse.contract import Outcome


class ScrapeState(StrEnum):
    """The state of a scrape.

    `launching` lasts until Dagster has returned the run's id; clients see `queued` instead. `deferred` means that the
    site is paused; a new run is launched when the pause has ended.
    """

    LAUNCHING = "launching"
    QUEUED = "queued"
    RUNNING = "running"
    DEFERRED = "deferred"
    SUCCEEDED = "succeeded"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (ScrapeState.LAUNCHING, ScrapeState.QUEUED, ScrapeState.RUNNING, ScrapeState.DEFERRED)

OPEN_STATE_OF_RUN = {
    RunStatus.QUEUED: ScrapeState.QUEUED,
    RunStatus.NOT_STARTED: ScrapeState.QUEUED,
    RunStatus.MANAGED: ScrapeState.QUEUED,
    RunStatus.STARTING: ScrapeState.QUEUED,
    RunStatus.STARTED: ScrapeState.RUNNING,
    RunStatus.CANCELING: ScrapeState.RUNNING,
}

STATE_OF_OUTCOME = {
    Outcome.NOT_FOUND: ScrapeState.NOT_FOUND,
    Outcome.BLOCKED: ScrapeState.BLOCKED,
}
"""The states of scrapes with these outcomes. All other outcomes except `ok` mean `failed`."""

_FAILURES = (ScrapeState.FAILED, ScrapeState.BLOCKED, ScrapeState.CANCELLED)


def combined(states: Sequence[ScrapeState]) -> ScrapeState:
    """Return one state for several scrapes.

    It is an open state if any scrape is open. Otherwise it is the state that all have, or else the first of `_FAILURES`
    that occurs. If none occurs, the states are a mixture of `succeeded` and `not_found`, and the result is `succeeded`.
    """
    for state in (ScrapeState.RUNNING, ScrapeState.QUEUED, ScrapeState.LAUNCHING, ScrapeState.DEFERRED):
        if state in states:
            return state
    if len(set(states)) == 1:
        return states[0]
    return next((state for state in _FAILURES if state in states), ScrapeState.SUCCEEDED)
