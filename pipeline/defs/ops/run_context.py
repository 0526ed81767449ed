"""What a step asks Dagster about its own run, and others."""

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
_LOOKED_AT_EVERY = timedelta(seconds=2)


def run_group(context: Context) -> tuple[str, ...]:
    """Return this run, and those it was tried again from: a re-execution skips what has been done."""
    run = context.run
    if run.root_run_id is None:
        return (run.run_id,)
    group = context.instance.get_run_group(run.run_id)
    return tuple(member.run_id for member in group[1]) if group else (run.run_id,)


def captures_too(run: DagsterRun) -> bool:
    """Tell whether a run materializes `source_data`. (A job's own run has no selection: it does.)"""
    return _materializes(run, SOURCE_DATA_ASSET)


def transforms_too(run: DagsterRun) -> bool:
    """Tell whether a run materializes `transformed_data`."""
    return _materializes(run, TRANSFORMED_DATA_ASSET)


def _materializes(run: DagsterRun, asset: str) -> bool:
    return run.asset_selection is None or AssetKey(asset) in run.asset_selection


def created_at(context: Context) -> datetime:
    """Return when this run was asked for."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return record.create_timestamp.replace(tzinfo=UTC) if record else datetime.now(UTC)


def is_over(instance: DagsterInstance, run_id: str) -> bool:
    """Tell whether a run has ended, as far as Dagster knows."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def asks_whether_to_go_on(context: Context) -> Callable[[], None]:
    """Return a function that raises Failure once Dagster holds this run for over, or for cancelled.

    A worker that lost touch (with the code server, say) must not go on beside the run that took its place; and what
    Python raises for the signal that cancels a run can be lost in whatever was being done.
    """
    next_look = 0.0

    def goes_on() -> None:
        nonlocal next_look
        if time.monotonic() < next_look:
            return
        next_look = time.monotonic() + _LOOKED_AT_EVERY.total_seconds()
        run = context.instance.get_run_by_id(context.run.run_id)
        if run is None or run.is_finished or run.status is DagsterRunStatus.CANCELING:
            raise Failure(
                "this run is over or cancelled, as Dagster has it; its worker stops", allow_retries=False
            )

    return goes_on
