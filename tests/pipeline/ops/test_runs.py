"""Tests of the check whether a run is still active."""

from types import SimpleNamespace
from typing import cast

import pytest
from dagster import DagsterInstance, DagsterRunStatus, Failure, job

from pipeline.defs.ops.run_context import Context, active_run_check


@job
def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        (DagsterRunStatus.STARTED, True),
        # The signal that cancels the run may have been lost.
        (DagsterRunStatus.CANCELING, False),
        (DagsterRunStatus.FAILURE, False),
    ],
)
def test_ended_or_cancelled_run_stops(status: DagsterRunStatus, is_active: bool) -> None:
    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(nothing, status=status)
        check_run_active = active_run_check(cast("Context", SimpleNamespace(instance=instance, run=run)))
        if is_active:
            check_run_active()
        else:
            with pytest.raises(Failure, match="ended or cancelled"):
                check_run_active()
