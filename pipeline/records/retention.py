"""Retention in the warehouse and in Dagster: bodies of superseded captures, runs with their events and logs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from sqlalchemy import Connection, text

Transaction = Callable[[], AbstractContextManager[Connection]]

_BODIES_AT_ONCE = 20_000
_RUNS_AT_ONCE = 100
_OVER = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_MORE_TIME = text("SET LOCAL statement_timeout = '15min'")
"""All captures are looked at, which takes longer than any other statement may."""
_PRUNABLE = text("SELECT count(*) AS bodies, coalesce(sum(size), 0) AS bytes FROM prunable_bodies(:cutoff)")
_PRUNE = text("SELECT bodies, bytes FROM prune_bodies(:cutoff, :most, :run_id)")


@dataclass(frozen=True)
class Bodies:
    """Bodies of captures, and their size before the database packs them."""

    count: int
    bytes: int


def before(days: int) -> datetime:
    """Return the time that many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def prunable_bodies(connection: Connection, cutoff: datetime) -> Bodies:
    """Return what `prune_bodies` would remove."""
    row = connection.execute(_PRUNABLE, {"cutoff": cutoff}).one()
    return Bodies(row.bodies, int(row.bytes))


def prune_bodies(transaction: Transaction, cutoff: datetime, *, run_id: str) -> Bodies:
    """Remove the bodies that only captures older than `cutoff` hold and nothing needs; their hashes stay.

    Those who store captures wait meanwhile, so it is done some thousand at a time.
    """
    gone = Bodies(0, 0)
    while True:
        with transaction() as connection:
            connection.execute(_MORE_TIME)
            row = connection.execute(
                _PRUNE, {"cutoff": cutoff, "most": _BODIES_AT_ONCE, "run_id": run_id}
            ).one()
        gone = Bodies(gone.count + row.bodies, gone.bytes + int(row.bytes))
        if row.bodies < _BODIES_AT_ONCE:
            return gone


def count_old_runs(instance: DagsterInstance, cutoff: datetime) -> int:
    """Return how many runs are over that began before `cutoff`."""
    return instance.get_runs_count(RunsFilter(statuses=_OVER, created_before=cutoff))


def delete_old_runs(instance: DagsterInstance, cutoff: datetime) -> int:
    """Delete runs that are over and began before `cutoff`, with events and logs; return how many."""
    gone = 0
    for run_id in _old_runs(instance, cutoff):
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        gone += 1
    return gone


def _old_runs(instance: DagsterInstance, cutoff: datetime) -> Iterator[str]:
    old = RunsFilter(statuses=_OVER, created_before=cutoff)
    while runs := instance.get_runs(old, limit=_RUNS_AT_ONCE):
        for run in runs:
            yield run.run_id
