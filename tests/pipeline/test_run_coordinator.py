"""Tests of the run coordinator: single requests bypass the queue while there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.run_coordinator import SubmitRunContext

from pipeline.dagster_host.run_coordinator import PeopleFirstRunCoordinator
from tests.pipeline.run_server_harness import RunServerHarness, open_instance, run_server
from warehouse.contract import KIND_TAG, RunKind

COORDINATOR = """
run_coordinator:
  module: pipeline.dagster_host.run_coordinator
  class: PeopleFirstRunCoordinator
  config:
    max_concurrent_runs: 2
"""


@pytest.fixture
def server(starts_platform: None, tmp_path: Path) -> Iterator[RunServerHarness]:
    with (
        open_instance(tmp_path, more=COORDINATOR) as instance,
        run_server(tmp_path, instance) as running,
    ):
        yield running


def _submit(server: RunServerHarness, kind: RunKind) -> DagsterRun:
    coordinator = server.instance.run_coordinator
    assert isinstance(coordinator, PeopleFirstRunCoordinator)
    run = server.create("wait", **{KIND_TAG: str(kind)})
    coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type] # not submitted by HTTP
    return server.run(run.run_id)


def test_single_requests_are_launched_immediately_and_bulk_work_is_queued(server: RunServerHarness) -> None:
    bulk = _submit(server, RunKind.BULK)
    people = [_submit(server, RunKind.PERSON) for _ in range(3)]

    assert bulk.status is DagsterRunStatus.QUEUED
    assert people[2].status is DagsterRunStatus.QUEUED
    for run in people[:2]:
        assert server.written(run.run_id)
