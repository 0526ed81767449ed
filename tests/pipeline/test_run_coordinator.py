"""Somebody who waits does not wait for the queue, as long as there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.run_coordinator import SubmitRunContext

from pipeline.dagster_host.run_coordinator import PeopleFirstRunCoordinator
from tests.pipeline.run_server_harness import Warm, opened_instance, run_server
from warehouse.contract import KIND_TAG, RunKind

COORDINATOR = """
run_coordinator:
  module: pipeline.dagster_host.run_coordinator
  class: PeopleFirstRunCoordinator
  config:
    max_concurrent_runs: 2
"""


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    with (
        opened_instance(tmp_path, more=COORDINATOR) as instance,
        run_server(tmp_path, instance) as running,
    ):
        yield running


def _submit(warm: Warm, kind: RunKind) -> DagsterRun:
    coordinator = warm.instance.run_coordinator
    assert isinstance(coordinator, PeopleFirstRunCoordinator)
    run = warm.create("wait", **{KIND_TAG: str(kind)})
    coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type] # nobody asks by HTTP
    return warm.run(run.run_id)


def test_who_waits_is_launched_at_once_while_there_is_room_and_bulk_work_is_queued(warm: Warm) -> None:
    bulk = _submit(warm, RunKind.BULK)
    people = [_submit(warm, RunKind.PERSON) for _ in range(3)]

    assert bulk.status is DagsterRunStatus.QUEUED
    assert people[2].status is DagsterRunStatus.QUEUED
    for run in people[:2]:
        assert warm.said(run.run_id)
