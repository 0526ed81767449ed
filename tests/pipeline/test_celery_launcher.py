"""Tests of the Celery launcher: the task of a run, and whether a worker still executes it."""

from typing import Any

import pytest
from celery import Signature
from dagster import DagsterInstance, job
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from pipeline.dagster_host.celery_launcher import WatchedCeleryRunLauncher
from pipeline.dagster_host.internals import WorkerStatus


@job
def nothing() -> None:
    """Do nothing."""


class RecordingTask(Signature):  # type: ignore[misc] # Celery has no types
    """A task that records its run's tags at the moment when a worker could receive it."""

    instance: DagsterInstance
    tags: dict[str, str]

    def apply_async(self, task_id: str, **_: Any) -> None:
        """Record the tags instead of sending the task."""
        run = self.instance.get_run_by_id(task_id)
        assert run is not None
        self.tags = dict(run.tags)


def test_run_is_tagged_with_its_task_before_a_worker_can_receive_it() -> None:
    with DagsterInstance.ephemeral() as instance:
        launcher = WatchedCeleryRunLauncher(default_queue="dagster", broker="memory://")
        launcher.register_instance(instance)
        run = instance.create_run_for_job(nothing)
        task = RecordingTask("x")
        task.instance = instance

        launcher._launch_celery_task_run(run, task, "execute_job")

        assert task.tags[DAGSTER_CELERY_TASK_ID_TAG] == run.run_id


@pytest.mark.parametrize(
    ("known", "status", "reason"),
    [
        ({"the run": ["active", {}]}, WorkerStatus.RUNNING, None),
        ({}, WorkerStatus.NOT_FOUND, "the worker registru@east was restarted and does not know the run"),
        (None, WorkerStatus.NOT_FOUND, "the worker registru@east does not answer"),
    ],
    ids=["executes it", "was restarted", "does not answer"],
)
def test_run_is_alive_only_while_its_worker_knows_it(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, Any] | None, status: WorkerStatus, reason: str | None
) -> None:
    with DagsterInstance.ephemeral() as instance:
        launcher = WatchedCeleryRunLauncher(
            default_queue="dagster", broker="memory://", backend="cache+memory://"
        )
        launcher.register_instance(instance)
        run = instance.create_run_for_job(nothing, tags={DAGSTER_CELERY_TASK_ID_TAG: "the run"})
        launcher.celery.backend.store_result("the run", {"hostname": "registru@east"}, "STARTED")
        monkeypatch.setattr(launcher, "_tasks_of", lambda worker, task: known)

        health = launcher.check_run_worker_health(run)

        assert health.status is status
        assert reason is None or health.msg == reason
