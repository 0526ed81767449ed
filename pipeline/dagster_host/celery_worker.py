"""A Celery worker for Dagster's runs, one a machine.

    python -m pipeline.dagster_host.celery_worker --name HOST --runs 2 -m MODULE

It takes all settings (broker, how messages are kept) from the launcher in DAGSTER_HOME's dagster.yaml, so that worker
and launcher cannot differ, and no URL with a password stands on a command line. It has imported everything before it
forks a process for each run; a process takes one run and ends, and one that does not end when it is told to is killed.
The run's tag `registru/worker` names the worker.
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
"""A run's tag: the worker that took it."""
_FORGOTTEN_AFTER_SECONDS = 86_400
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunRequest(Request):  # type: ignore[misc]
    """A run that this worker has taken."""

    def terminate(self, pool: Any, signal: str | None = None) -> None:
        """Tell the run's process to end; kill it if it has not half a minute later.

        Celery tells it once, and what Python raises for a signal can be lost in whatever was being done: in a library's
        `__del__`, or behind a lock that is held for ever then.
        """
        super().terminate(pool, signal)
        loop = get_event_loop()
        if self.worker_pid is None or loop is None:  # not begun; Celery calls this again when it has
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            loop.call_later(KILL_AFTER_SECONDS, _kill, psutil.Process(self.worker_pid))  # type: ignore[no-untyped-call]


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended; another that has its pid now is not it
        process.kill()


def main() -> None:
    """Run the worker until it is told to stop; runs under way are let end first."""
    parser = argparse.ArgumentParser(description="Takes Dagster's runs from a broker.")
    parser.add_argument("--name", required=True, help="of this machine: no two workers may share one")
    parser.add_argument("--runs", type=_at_least_one, default=2, help="taken at a time; each has a browser")
    parser.add_argument("-m", dest="module", required=True, help="the module that holds the definitions")
    options = parser.parse_args()
    app = _app()
    _remove_forgotten_output()
    preload(options.module)
    gc.collect()
    gc.freeze()  # what was imported is never looked at again, so that its memory stays shared
    app.worker_main(
        [
            *("worker", "--hostname", f"registru@{options.name}", "--concurrency", str(options.runs)),
            *("--pool", "prefork", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        ]
    )


def _app() -> Celery:
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        _refuse("DAGSTER_HOME names no folder; its dagster.yaml says where the broker is")
    launcher = InstanceRef.from_dir(home).run_launcher
    if not isinstance(launcher, CeleryRunLauncher):
        _refuse(f"{home}/dagster.yaml launches runs by {type(launcher).__name__}, not by Celery")
    app = launcher.celery
    create_execute_job_task(app, Request=RunRequest)  # type: ignore[arg-type] # any option of a task
    signals.task_prerun.connect(_note_worker, weak=False)
    return app


def _remove_forgotten_output() -> None:
    """Remove what runs printed here that Dagster has deleted since: `tidy` does so on the machine that it runs on."""
    newest = time.time() - _FORGOTTEN_AFTER_SECONDS
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


def _note_worker(task: Any, kwargs: dict[str, Any], **_: Any) -> None:
    """Write on a run who took it."""
    if task.name == TASK_EXECUTE_JOB_NAME:
        with DagsterInstance.get() as instance:
            arguments = unpack_value(kwargs["execute_job_args_packed"], as_type=ExecuteRunArgs)
            instance.add_run_tags(arguments.run_id, {WORKER_TAG: task.request.hostname})


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number, 1 or more")
    return int(text)


def _refuse(reason: str) -> NoReturn:
    sys.exit(f"no worker: {reason}")


if __name__ == "__main__":
    main()
