"""Launches Dagster's runs as Celery tasks, on workers on any number of machines, and sees when one of those is gone.

dagster-celery's own launcher believes the last word of a worker: a run whose worker was killed is running for ever.
This one asks the worker itself, so that run monitoring ends such a run within seconds, and the API launches what it
left.
`pipeline.dagster_host.celery_worker` is the worker; deploy/celery/dagster.yaml configures both.
"""

from typing import Any

from celery import Signature
from dagster import DagsterRun
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG

from pipeline.dagster_host.internals import CheckRunHealthResult, WorkerStatus

_ANSWER_SECONDS = 4.0
_TRIES = 2
"""A worker on a busy machine may be late once."""


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """dagster-celery's launcher, with a health check that a killed worker fails, and a cancel that ends as one."""

    @property
    def supports_resume_run(self) -> bool:
        """No: who asked for what a dead run has left gets a new run, by the API's reconciler."""
        return False

    def _launch_celery_task_run(self, run: DagsterRun, task_signature: Signature, routing_key: str) -> None:
        """Send a run to the workers, with its own id for the task's.

        The tag that names the task is written before a worker can have it. Dagster reads and writes tags as a whole: if
        this one were written afterwards, as dagster-celery's own way is, and the worker's at that moment, one of them
        would be lost, and the run could neither be cancelled nor missed when its worker dies.
        """
        self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: run.run_id})
        queue = run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue)
        task_signature.apply_async(task_id=run.run_id, queue=queue, routing_key=f"{queue}.{routing_key}")
        self._instance.report_engine_event(f"Sent to the workers of the queue {queue}.", run, cls=type(self))

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether a worker still has this run. Raises what Redis raises: then nothing is known."""
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        told = self.celery.AsyncResult(task_id).info
        said = super().check_run_worker_health(run)
        if said.status is not WorkerStatus.RUNNING or not isinstance(told, dict):
            return said
        worker = str(told["hostname"])
        tasks = self._tasks_of(worker, task_id)
        if tasks is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the worker {worker} does not answer")
        if task_id in tasks:
            return said
        # It may have ended in between: then its last word is another by now.
        said = super().check_run_worker_health(run)
        if said.status is not WorkerStatus.RUNNING:
            return said
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND, f"the worker {worker} was started again, and knows nothing of it"
        )

    def _tasks_of(self, worker: str, task_id: str) -> dict[str, Any] | None:
        """Ask a worker for a task; None if it does not answer."""
        for _ in range(_TRIES):
            inspect = self.celery.control.inspect(destination=[worker], timeout=_ANSWER_SECONDS)
            answers = inspect.query_task(task_id)
            if answers and worker in answers:
                return dict(answers[worker])
        return None

    def terminate(self, run_id: str) -> bool:
        """Have a run's process end. Returns whether there was one to end."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if DAGSTER_CELERY_TASK_ID_TAG in run.tags:
            super().terminate(run_id)
        return True
