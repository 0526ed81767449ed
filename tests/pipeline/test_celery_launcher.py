"""Runs that are sent to Celery's workers can be cancelled and missed from the moment on in which they are sent."""

from typing import Any

from celery import Signature
from dagster import DagsterInstance, job
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from pipeline.dagster_host.celery_launcher import WatchedCeleryRunLauncher


@job
def nothing() -> None:
    """A job of no steps."""


class Sent(Signature):  # type: ignore[misc] # Celery has no types
    """A task that looks at its run's tags at the moment in which a worker may have it."""

    instance: DagsterInstance
    tags: dict[str, str]

    def apply_async(self, task_id: str, **_: Any) -> None:
        """Be sent."""
        run = self.instance.get_run_by_id(task_id)
        assert run is not None
        self.tags = dict(run.tags)


def test_a_runs_task_is_named_before_a_worker_can_have_it() -> None:
    with DagsterInstance.ephemeral() as instance:
        launcher = WatchedCeleryRunLauncher(default_queue="dagster", broker="memory://")
        launcher.register_instance(instance)
        run = instance.create_run_for_job(nothing)
        task = Sent("x")
        task.instance = instance

        launcher._launch_celery_task_run(run, task, "execute_job")

        assert task.tags[DAGSTER_CELERY_TASK_ID_TAG] == run.run_id
