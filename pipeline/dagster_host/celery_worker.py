"""A Celery worker that executes Dagster runs. Start one on each machine that is to execute runs.

    python -m pipeline.dagster_host.celery_worker --name HOST --runs 2 -m MODULE

The worker takes all Celery settings (the broker, how messages are delivered) from the launcher in the dagster.yaml of
DAGSTER_HOME. So the worker and the launcher have the same settings, and no command line contains a URL with a password.
The worker imports what runs need and then forks a process for each run. If a run is cancelled and its process does not
end, the worker kills the process. The tag `registru/worker` of a run names its worker.
"""

import argparse
import contextlib
import gc
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import psutil
from celery import Celery, signals
from celery.worker.request import Request
from dagster import DagsterInstance
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tasks import create_execute_job_task
from kombu.asynchronous import get_event_loop

from pipeline.dagster_host.internals import ExecuteRunArgs, InstanceRef, LocalComputeLogManager, unpack_value
from pipeline.dagster_host.preloading import preload
from pipeline.dagster_host.run_worker import KILL_AFTER_SECONDS

WORKER_TAG = "registru/worker"
"""The run's tag that names its worker."""
_OUTPUT_KEPT_SECONDS = 86_400
"""The output of a run is kept at least this long, even if Dagster does not know the run."""
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunRequest(Request):  # type: ignore[misc]
    """A message that this worker has received: the request to execute a run."""

    def terminate(self, pool: Any, signal: str | None = None) -> None:
        """Signal the run's process to end, and kill it half a minute later if it still exists.

        Celery only sends one signal, for which Python raises an exception in the process. The code that is interrupted
        may swallow the exception (a library's `__del__`, for example), or may never release a lock. Either way, the
        process might never end.
        """
        super().terminate(pool, signal)
        loop = get_event_loop()
        if (
            self.worker_pid is None or loop is None
        ):  # not started yet; Celery calls this again after the start
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            loop.call_later(KILL_AFTER_SECONDS, _kill, psutil.Process(self.worker_pid))  # type: ignore[no-untyped-call]


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(
        psutil.NoSuchProcess
    ):  # the process has ended; psutil never kills a new process that has got the same pid
        process.kill()


def main() -> None:
    """Run the worker until a signal stops it. It ends after the runs that it is executing have finished."""
    parser = argparse.ArgumentParser(
        description="Executes Dagster runs that it receives from a Celery broker."
    )
    parser.add_argument("--name", required=True, help="name of this machine; each worker needs another name")
    parser.add_argument(
        "--runs",
        type=_positive_integer,
        default=2,
        help="how many runs to execute at a time; each has a browser",
    )
    parser.add_argument("-m", dest="module", required=True, help="module that holds the definitions")
    options = parser.parse_args()
    app = _app()
    _remove_output_of_deleted_runs()
    preload(options.module)
    gc.collect()
    gc.freeze()  # the collector never touches imported objects again, so forked processes share their memory
    app.worker_main(
        [
            *("worker", "--hostname", f"registru@{options.name}", "--concurrency", str(options.runs)),
            *("--pool", "prefork", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        ]
    )


def _app() -> Celery:
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        _refuse("DAGSTER_HOME is not set; the worker needs the dagster.yaml in that folder")
    launcher = InstanceRef.from_dir(home).run_launcher
    if not isinstance(launcher, CeleryRunLauncher):
        _refuse(
            f"the run launcher in {home}/dagster.yaml is {type(launcher).__name__}, not a Celery launcher"
        )
    app = launcher.celery
    create_execute_job_task(app, Request=RunRequest)  # type: ignore[arg-type] # any option of a task
    signals.task_prerun.connect(_tag_run, weak=False)
    return app


def _remove_output_of_deleted_runs() -> None:
    """Remove the output of runs that Dagster has deleted.

    The job `tidy` deletes such runs, but it removes their output only from the machine on which it runs itself.
    """
    newest = time.time() - _OUTPUT_KEPT_SECONDS
    with DagsterInstance.get() as instance:
        if not isinstance(instance.compute_log_manager, LocalComputeLogManager):
            return
        for folder in Path(os.environ["REGISTRU_COMPUTE_LOGS"]).glob("*/compute_logs"):
            run = folder.parent
            if (
                _RUN_ID.fullmatch(run.name)
                and run.stat().st_mtime < newest
                and not instance.has_run(run.name)
            ):
                shutil.rmtree(run, ignore_errors=True)


def _tag_run(task: Any, kwargs: dict[str, Any], **_: Any) -> None:
    """Tag the run of a task with this worker's name."""
    if task.name == TASK_EXECUTE_JOB_NAME:
        with DagsterInstance.get() as instance:
            arguments = unpack_value(kwargs["execute_job_args_packed"], as_type=ExecuteRunArgs)
            instance.add_run_tags(arguments.run_id, {WORKER_TAG: task.request.hostname})


def _positive_integer(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of 1 or more")
    return int(text)


def _refuse(reason: str) -> NoReturn:
    sys.exit(f"cannot start the worker: {reason}")


if __name__ == "__main__":
    main()
