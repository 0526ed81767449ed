"""Launches Dagster's runs in processes that are forked from a warm one, in milliseconds instead of seconds.

To use it with any Dagster on one machine, start `python -m pipeline.dagster_host.run_server --socket PATH -m MODULE` beside the
code server, with the environment that runs need, and name this class in dagster.yaml:

    run_launcher:
      module: pipeline.dagster_host.run_launcher
      class: WarmRunLauncher
      config:
        socket: PATH

Where no warm process can be had (none runs, or it cannot fork), Dagster's own launcher takes the run, and the run's
log says so. Run monitoring asks after a run's process, and a run that is ended ends its process.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster import DagsterRun, DefaultRunLauncher, Field, StringSource, serialize_value

from pipeline.dagster_host.internals import (
    GRPC_INFO_TAG,
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    LaunchRunContext,
    WorkerStatus,
)
from pipeline.dagster_host.run_server import GONE, HEALTH, LAUNCH, TERMINATE
from pipeline.dagster_host.run_worker import RUN_PROCESS_TAG
from pipeline.local_socket import send_request

_ANSWER_SECONDS = 10.0
_RELOAD_SECONDS = 20.0
"""How long a server that replaces itself, because its code has changed, is waited for."""
_PAUSE_SECONDS = 0.1


class NoWarmProcess(Exception):
    """No process can be forked; the message says why."""


class WarmRunLauncher(DefaultRunLauncher, ConfigurableClass):
    """Dagster's launcher, with a faster way for where it can be had."""

    def __init__(self, socket: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._socket = Path(socket)

    @classmethod
    def config_type(cls) -> Any:
        """Where the run server listens."""
        return {"socket": Field(StringSource, description="Where `pipeline.dagster_host.run_server` listens")}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Make one, from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run; its record says in which process."""
        run = context.dagster_run
        try:
            self._fork(run)
        except NoWarmProcess as reason:
            self._instance.report_engine_event(
                f"No warm process for this run: {reason}. It is launched in a new one, which takes seconds.",
                run,
            )
            super().launch_run(context)

    def _fork(self, run: DagsterRun) -> None:
        instance = serialize_value(self._instance.get_ref())
        request = {"op": LAUNCH, "run_id": run.run_id, "instance": instance}
        deadline = time.monotonic() + _RELOAD_SECONDS
        is_replaced = False
        while True:
            try:
                answer = send_request(self._socket, request, timeout=_ANSWER_SECONDS)
            except (OSError, EOFError, ValueError) as error:
                if not is_replaced or time.monotonic() > deadline:
                    raise NoWarmProcess(f"the run server does not answer ({error})") from error
                time.sleep(_PAUSE_SECONDS)
                continue
            if "pid" in answer:
                return
            if "again" not in answer or time.monotonic() > deadline:
                raise NoWarmProcess(f"the run server says: {answer.get('again') or answer.get('error')}")
            is_replaced = True

    def terminate(self, run_id: str) -> bool:
        """Have a run's process end. Returns whether there was one to end."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if not _is_warm(run):
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        if self._state(TERMINATE, run) != GONE:
            return True
        ended = self._instance.get_run_by_id(run_id)
        if ended is not None and not ended.is_finished:
            self._instance.report_run_canceled(ended, "The run had no process any more.")
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether a run's process is there. (Runs of Dagster's own launcher are watched by the code server.)"""
        if not _is_warm(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            state = self._state(HEALTH, run)
        except (OSError, EOFError, ValueError) as error:
            return CheckRunHealthResult(
                WorkerStatus.RUNNING, f"not known: no run server ({error})", transient=True
            )
        if state == GONE:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _state(self, operation: str, run: DagsterRun) -> str:
        """Ask the run server about a run's process. Raises OSError."""
        worker = json.loads(run.tags.get(RUN_PROCESS_TAG, "null"))
        request = {"op": operation, "run_id": run.run_id, "worker": worker}
        return str(send_request(self._socket, request, timeout=_ANSWER_SECONDS).get("state"))


def _is_warm(run: DagsterRun) -> bool:
    """Tell who launched a run: Dagster's own launcher notes in which code server it did."""
    return GRPC_INFO_TAG not in run.tags
