"""The states of a scrape."""

from enum import StrEnum

from api.dagster.client import RunStatus
from warehouse.contract import Outcome


class ScrapeState(StrEnum):
    """Where a scrape stands. `launching` lasts until Dagster has named its run; nobody is told of it."""

    LAUNCHING = "launching"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (ScrapeState.LAUNCHING, ScrapeState.QUEUED, ScrapeState.RUNNING)

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
