"""The work of processes that the run server forks: stand by, execute a run, or report that a run's process died.

Processes that a run spawns (multiprocessing) import the run server again, and with it this module. So this module
imports nothing heavy at its top.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NoReturn

from pipeline.dagster_host import idle_connections
from pipeline.dagster_host.process_tree import set_title, start_time

if TYPE_CHECKING:
    from dagster import DagsterInstance

RUN_PROCESS_TAG = ".dagster/warm_worker"
"""The run's tag that identifies its process, as the JSON of a `RunWorker`. The web UI does not show this tag."""
KILL_AFTER_SECONDS = 30.0
"""How long a run's process may take to end after SIGINT, before it is killed."""
_STATEMENT_TIMEOUT_MS = 60_000
_REPORT_ATTEMPTS = 6


@dataclass(frozen=True)
class RunWorker:
    """The process of a run: its pid and, because the kernel reuses pids, its start time in seconds since 1970."""

    run_id: str
    pid: int
    started: float


def work_and_exit(work: Callable[..., int], *arguments: object) -> NoReturn:
    """Call `work`, then end this process with the exit code that `work` returned, or 1 if it raised an exception."""
    code = 1
    try:
        code = work(*arguments)
    except (
        BaseException
    ):  # This child is a copy of the server. An exception must not propagate into the copied server loop.
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def stand_by(read: int, write: int) -> int:
    """Open Dagster's instance, wait until a run arrives through the pipe, and execute it. Return the exit code.

    When the server ends, the pipe is closed before a run has arrived. This process then ends too.

    Args:
        read: The descriptor of the pipe's end that this process reads.
        write: The descriptor of the pipe's other end, to which the server writes. This process inherited a copy of
            it, and closes the copy.
    """
    from dagster import DagsterInstance, serialize_value

    os.close(write)
    set_title("dagster-standby")
    with DagsterInstance.get() as instance, open(read) as pipe:
        _pool_connections(instance)
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # Before a run arrives, this process has nothing to clean up, so the signal may end it immediately.
        line = pipe.read()
        if not line:
            return 0
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request = json.loads(line)
        if request["instance"] == serialize_value(instance.get_ref()):
            return _execute_in(instance, request["run_id"])
    return execute(request["run_id"], request["instance"])


def execute(run_id: str, instance_ref: str) -> int:
    """Execute the run with this id and return the exit code.

    `instance_ref` is a serialized `InstanceRef`: it describes the Dagster instance that stores the run.
    """
    from dagster import DagsterInstance, deserialize_value

    from pipeline.dagster_host.internals import InstanceRef

    with DagsterInstance.from_ref(deserialize_value(instance_ref, InstanceRef)) as instance:
        _pool_connections(instance)
        return _execute_in(instance, run_id)


def _execute_in(instance: "DagsterInstance", run_id: str) -> int:
    """Do in this process what the command `dagster api execute_run` does."""
    from pipeline.dagster_host.internals import capture_interrupts, execute_run_command_body

    set_title(f"dagster-run {run_id}")
    with capture_interrupts():
        worker = RunWorker(run_id, os.getpid(), start_time(os.getpid()) or 0.0)
        instance.add_run_tags(run_id, {RUN_PROCESS_TAG: json.dumps(asdict(worker))})
        code = execute_run_command_body(run_id, instance, lambda _: None, set_exit_code_on_failure=True)
        return int(code or 0)


def report_death(worker: RunWorker, exit_code: int) -> int:
    """Tell Dagster that a run's process died with `exit_code`, unless Dagster knows that the run has ended.

    Return the exit code of this process, always 0.
    """
    from dagster import DagsterInstance, DagsterRunStatus

    from pipeline.dagster_host.internals import get_run_crash_explanation

    for attempt in range(_REPORT_ATTEMPTS):
        try:
            with DagsterInstance.get() as instance:
                run = instance.get_run_by_id(worker.run_id)
                if run is None or run.is_finished:
                    return 0
                explanation = get_run_crash_explanation(f"The process of run {worker.run_id}", exit_code)
                instance.report_engine_event(explanation, run)
                if run.status is DagsterRunStatus.CANCELING:
                    instance.report_run_canceled(run)
                else:
                    instance.report_run_failed(run)
                return 0
        except Exception:  # most likely an outage of the database
            sys.stderr.write(f"attempt {attempt + 1} to report the death of run {worker.run_id} failed:\n")
            traceback.print_exc()
            time.sleep(2**attempt / 2)
    return 0  # Dagster's run monitoring will find that the run's process no longer exists


def _pool_connections(instance: "DagsterInstance") -> None:
    """Make the instance's storages keep connections open, instead of opening one for each query."""
    # Despite its name, this method is Dagster's way to pool connections in any process.
    instance.optimize_for_webserver(
        statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=3600, max_overflow=5
    )
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        engine = getattr(storage, "_engine", None)
        if engine is not None:
            idle_connections.watch(engine)
