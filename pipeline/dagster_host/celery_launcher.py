"""A run launcher that sends runs to Celery workers on any number of machines and notices when a worker has died.

dagster-celery's launcher trusts the last state that a worker reported, so a run whose worker was killed never ends.
This launcher asks the worker itself. If the worker is dead, run monitoring ends the run within seconds, and the API
launches a new run for the unfinished companies.

`pipeline.dagster_host.celery_worker` is the worker. `deploy/celery/dagster.yaml` configures both.
"""

from typing import Any

from celery import Signature
from dagster import DagsterRun
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG

from pipeline.dagster_host.internals import CheckRunHealthResult, WorkerStatus

_ANSWER_SECONDS = 4.0
_ATTEMPTS = 2
"""How often a worker is asked before it counts as dead. On a busy machine, one answer may come too late."""


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """dagster-celery's launcher, with a check for killed workers. Runs that it terminates end as cancelled."""

    @property
    def supports_resume_run(self) -> bool:
        """False: dead runs are not resumed. The API's reconciler launches a new run for the unfinished companies."""
        return False

    def _launch_celery_task_run(self, run: DagsterRun, task_signature: Signature, routing_key: str) -> None:
        """Send a run to the workers. The run's id becomes the id of the Celery task.

        The tag that names the task is written before a worker can receive the task. Dagster reads and writes the tags
        of a run as a whole. If the launcher wrote its tag afterwards, as dagster-celery does, while the worker writes
        its own, one of the tags would be lost. The run could then not be cancelled, and the death of its worker would
        not be noticed.
        """
        self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: run.run_id})
        queue = run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue)
        task_signature.apply_async(task_id=run.run_id, queue=queue, routing_key=f"{queue}.{routing_key}")
        self._instance.report_engine_event(
            f"Sent to the Celery workers of the queue {queue}.", run, cls=type(self)
        )

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether a worker still executes this run.

        Raises Redis's errors: without Redis, which stores the states of tasks, the state is unknown.
        """
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        task_info = self.celery.AsyncResult(task_id).info
        health = super().check_run_worker_health(run)
        if health.status is not WorkerStatus.RUNNING or not isinstance(task_info, dict):
            return health
        worker = str(task_info["hostname"])
        tasks = self._tasks_of(worker, task_id)
        if tasks is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the worker {worker} does not answer")
        if task_id in tasks:
            return health
        # The task may have ended after its state was read and before the worker was asked. If so, the worker has
        # reported another state by now.
        health = super().check_run_worker_health(run)
        if health.status is not WorkerStatus.RUNNING:
            return health
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND, f"the worker {worker} was restarted and does not know the run"
        )

    def _tasks_of(self, worker: str, task_id: str) -> dict[str, Any] | None:
        """Ask a worker about a task.

        Return an empty dict if the worker does not have the task. Return None if the worker does not answer.
        """
        for _ in range(_ATTEMPTS):
            inspect = self.celery.control.inspect(destination=[worker], timeout=_ANSWER_SECONDS)
            answers = inspect.query_task(task_id)
            if answers and worker in answers:
                return dict(answers[worker])
        return None

    def terminate(self, run_id: str) -> bool:
        """Cancel a run and end its process. Return False if the run does not exist or has already ended."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if DAGSTER_CELERY_TASK_ID_TAG in run.tags:
            super().terminate(run_id)
        return True
