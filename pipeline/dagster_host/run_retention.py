"""Retention in Dagster: runs that have ended, with their events and logs."""

from collections.abc import Iterator
from datetime import datetime

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from warehouse.contract import ENDED_STATUSES

_BATCH = 100


def count_old_runs(instance: DagsterInstance, older_than: datetime) -> int:
    """Return how many runs have ended and were created before a time."""
    return instance.get_runs_count(_old_runs(older_than))


def delete_old_runs(instance: DagsterInstance, older_than: datetime) -> int:
    """Delete the runs that have ended and were created before a time. Return the number of deleted runs."""
    deleted = 0
    for run_id in _ids(instance, _old_runs(older_than)):
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        deleted += 1
    return deleted


def _old_runs(older_than: datetime) -> RunsFilter:
    statuses = [DagsterRunStatus(status) for status in ENDED_STATUSES]
    return RunsFilter(statuses=statuses, created_before=older_than)


def _ids(instance: DagsterInstance, runs: RunsFilter) -> Iterator[str]:
    """Yield the ids of runs that match a filter.

    The caller must delete each run before it takes the next id. Otherwise the same ids are yielded again.
    """
    while page := instance.get_runs(runs, limit=_BATCH):
        for run in page:
            yield run.run_id
