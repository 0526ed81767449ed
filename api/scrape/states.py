"""The states of a scrape."""

from collections.abc import Sequence
from enum import StrEnum

from api.dagster.dagster_client import RunStatus
from warehouse.contract import Outcome


class ScrapeState(StrEnum):
    """Where a scrape stands.

    `launching` lasts until Dagster has named its run; callers are told `queued`. `deferred`: the site is left
    alone for a while; a run is launched when the time has come.
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
"""Any other outcome but `ok` is a failure."""

_FAILURES = (ScrapeState.FAILED, ScrapeState.BLOCKED, ScrapeState.CANCELLED)


def combined(states: Sequence[ScrapeState]) -> ScrapeState:
    """Return where several scrapes stand together: open while one is; else the first kind of failure there is."""
    for state in (ScrapeState.RUNNING, ScrapeState.QUEUED, ScrapeState.LAUNCHING, ScrapeState.DEFERRED):
        if state in states:
            return state
    if len(set(states)) == 1:
        return states[0]
    return next((state for state in _FAILURES if state in states), ScrapeState.SUCCEEDED)
