"""Functions with which a step finds out facts about its own run and about other runs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dagster import (
    AssetExecutionContext,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Failure,
    OpExecutionContext,
)

from warehouse.contract import SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET

Context = OpExecutionContext | AssetExecutionContext
_CHECK_INTERVAL = timedelta(seconds=2)


def run_group(context: Context) -> tuple[str, ...]:
    """Return the id of this run and, if it is a retry, the ids of the earlier runs.

    A retry skips the companies that the earlier runs have finished.
    """
    run = context.run
    if run.root_run_id is None:
        return (run.run_id,)
    group = context.instance.get_run_group(run.run_id)
    return tuple(member.run_id for member in group[1]) if group else (run.run_id,)


def captures(run: DagsterRun) -> bool:
    """Tell whether a run materializes the asset `source_data`, which means that it visits companies."""
    return _materializes(run, SOURCE_DATA_ASSET)


def transforms(run: DagsterRun) -> bool:
    """Tell whether a run materializes the asset `transformed_data`, which means that it updates records."""
    return _materializes(run, TRANSFORMED_DATA_ASSET)


def _materializes(run: DagsterRun, asset: str) -> bool:
    # A run of the whole job has no selection.
    return run.asset_selection is None or AssetKey(asset) in run.asset_selection


def created_at(context: Context) -> datetime:
    """Return when this run was created in Dagster. The pipeline uses it as the time of the request."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return record.create_timestamp.replace(tzinfo=UTC) if record else datetime.now(UTC)


def has_ended(instance: DagsterInstance, run_id: str) -> bool:
    """Tell whether a run has ended, as far as Dagster knows. A run that Dagster does not know has ended."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def active_run_check(context: Context) -> Callable[[], None]:
    """Return a function that raises Failure when Dagster considers this run ended or cancelled.

    There are two reasons to ask Dagster. First, Dagster may consider this run failed, for example because the run's
    process lost contact with the code server. If another run has replaced it, the two must not work at the same time.
    Second, Python raises an exception for the signal that cancels a run, and the interrupted code may swallow it.
    """
    next_check = 0.0

    def check_run_active() -> None:
        nonlocal next_check
        if time.monotonic() < next_check:
            return
        next_check = time.monotonic() + _CHECK_INTERVAL.total_seconds()
        run = context.instance.get_run_by_id(context.run.run_id)
        if run is None or run.is_finished or run.status is DagsterRunStatus.CANCELING:
            raise Failure(
                "Dagster considers this run ended or cancelled; its process stops", allow_retries=False
            )

    return check_run_active
