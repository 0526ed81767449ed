"""A run launcher that asks the run server to fork a process for each run: a start takes milliseconds, not seconds.

It works with any Dagster on one machine. Start the run server next to the code server, with the environment that runs
need:

    python -m pipeline.dagster_host.run_server --socket PATH -m MODULE

Then name this class in dagster.yaml:

    run_launcher:
      module: pipeline.dagster_host.run_launcher
      class: WarmRunLauncher
      config:
        socket: PATH

If there is no run server, or if it cannot fork, Dagster's default launcher launches the run, and the run's log says so.
Run monitoring asks this launcher whether a run's process still exists. Terminating a run ends its process.
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
"""How long to wait for a run server that replaces itself because its code has changed."""
_RETRY_SECONDS = 0.1


class NoWarmProcess(Exception):
    """The run server does not answer, or it cannot fork a process. The error's message says why."""


class WarmRunLauncher(DefaultRunLauncher, ConfigurableClass):
    """Launches runs through the run server, or as Dagster's default launcher does if the run server cannot."""

    def __init__(self, socket: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._socket = Path(socket)

    @classmethod
    def config_type(cls) -> Any:
        """Return the schema of this class's config in dagster.yaml."""
        description = "Path of the Unix socket where `pipeline.dagster_host.run_server` listens"
        return {"socket": Field(StringSource, description=description)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Create a launcher from its config in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run in a process that the run server forks. If that fails, use Dagster's default launcher."""
        run = context.dagster_run
        try:
            self._fork(run)
        except NoWarmProcess as reason:
            self._instance.report_engine_event(
                f"No warm process for this run: {reason}. Dagster starts a new process, which takes seconds.",
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
                time.sleep(_RETRY_SECONDS)
                continue
            if "pid" in answer:
                return
            if "again" not in answer or time.monotonic() > deadline:
                raise NoWarmProcess(f"the run server answers: {answer.get('again') or answer.get('error')}")
            is_replaced = True

    def terminate(self, run_id: str) -> bool:
        """Cancel a run and end its process. Return False if the run does not exist or has already ended."""
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
            self._instance.report_run_canceled(ended, "The run's process no longer existed.")
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: run monitoring can ask this launcher."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether a run's process still exists.

        Runs of Dagster's default launcher always count as running, because the code server watches their processes.
        """
        if not _is_warm(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            state = self._state(HEALTH, run)
        except (OSError, EOFError, ValueError) as error:
            return CheckRunHealthResult(
                WorkerStatus.RUNNING, f"unknown: the run server does not answer ({error})", transient=True
            )
        if state == GONE:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process no longer exists")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _state(self, operation: str, run: DagsterRun) -> str:
        """Return the run server's answer about a run's process. Raises OSError, EOFError, ValueError."""
        worker = json.loads(run.tags.get(RUN_PROCESS_TAG, "null"))
        request = {"op": operation, "run_id": run.run_id, "worker": worker}
        return str(send_request(self._socket, request, timeout=_ANSWER_SECONDS).get("state"))


def _is_warm(run: DagsterRun) -> bool:
    """Tell whether the run server launched a run.

    It did if the run lacks the tag of its code server, which Dagster's default launcher sets.
    """
    return GRPC_INFO_TAG not in run.tags
