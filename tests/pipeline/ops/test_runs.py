"""What a step asks Dagster about its own run."""

from types import SimpleNamespace
from typing import cast

import pytest
from dagster import DagsterInstance, DagsterRunStatus, Failure, job

from pipeline.defs.ops.run_context import Context, asks_whether_to_go_on


@job
def nothing() -> None:
    """A job of no steps."""


@pytest.mark.parametrize(
    ("status", "goes_on"),
    [
        (DagsterRunStatus.STARTED, True),
        # The signal may have been lost, and then this is how it is learnt.
        (DagsterRunStatus.CANCELING, False),
        (DagsterRunStatus.FAILURE, False),
    ],
)
def test_a_run_that_is_over_or_cancelled_does_not_go_on(status: DagsterRunStatus, goes_on: bool) -> None:
    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(nothing, status=status)
        ask = asks_whether_to_go_on(cast("Context", SimpleNamespace(instance=instance, run=run)))
        if goes_on:
            ask()
        else:
            with pytest.raises(Failure, match="over or cancelled"):
                ask()
