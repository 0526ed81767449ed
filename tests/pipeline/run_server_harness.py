"""Starts a run server with its own definitions and a Dagster instance."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableJob, reconstructable
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from pipeline.local_socket import connect
from stack.home import PROJECT
from tests.polling import wait_for

DEFINITIONS = """
import os, signal, subprocess, sys, time
from pathlib import Path
from dagster import Definitions, in_process_executor, job, op

VERSION = "one"
seen = []

@op(config_schema={"folder": str, "then": str})
def act(context):
    seen.append(context.run.run_id)
    folder, then = Path(context.op_config["folder"]), context.op_config["then"]
    (folder / f"{context.run.run_id}.txt").write_text(f"{VERSION} {len(seen)}")
    if then == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "leave":
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / f"{context.run.run_id}.pid").write_text(str(left.pid))
    if then == "wait":
        while True:
            time.sleep(0.05)
    if then == "hang":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            time.sleep(0.05)

@job(executor_def=in_process_executor)
def work():
    act()

defs = Definitions(jobs=[work])
"""

KILL_AFTER_SECONDS = 10.0
IMPATIENT = (
    f"""
import sys
sys.modules["__main__"].KILL_AFTER_SECONDS = {KILL_AFTER_SECONDS}
"""
    + DEFINITIONS
)
"""Definitions with which the run server kills a cancelled run sooner than usual, also after it replaced itself."""

INSTANCE = """
run_launcher:
  module: pipeline.dagster_host.run_launcher
  class: WarmRunLauncher
  config:
    socket: {socket}
telemetry:
  enabled: false
"""


@dataclass
class RunServerHarness:
    """A run server with its own definitions, and the Dagster instance that launches runs on it."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    instance: DagsterInstance

    @property
    def socket(self) -> Path:
        return self.folder / "runs.sock"

    @property
    def module(self) -> Path:
        return self.folder / "warm_jobs.py"

    def create(self, then: str = "end", **tags: str) -> DagsterRun:
        """Create a run without launching it. `then` says what its op does."""
        config = {"ops": {"act": {"config": {"folder": str(self.folder), "then": then}}}}
        recon = _recon_job()
        # No code server is needed, because the run server loads the definitions itself.
        location = GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name="warm")
        return self.instance.create_run_for_job(
            recon.get_definition(),
            run_config=config,
            job_code_origin=recon.get_python_origin(),
            remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "work"),
            tags=tags,
        )

    def launch(self, then: str = "end") -> str:
        """Launch a run and return its id."""
        run = self.create(then)
        self.instance.launch_run(run.run_id, None)  # type: ignore[arg-type] # no workspace, so only the run server can launch
        return run.run_id

    def change_code(self) -> str:
        """Change the code of the definitions and return their new version."""
        version = uuid4().hex
        changed = re.sub('VERSION = ".*"', f'VERSION = "{version}"', self.module.read_text())
        self.module.write_text(changed)
        return version

    def run(self, run_id: str) -> DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def wait_until_ended(self, run_id: str) -> DagsterRunStatus:
        """Wait until a run has ended and return its status."""
        return wait_for(
            f"the end of run {run_id}",
            lambda: run.status if (run := self.run(run_id)).is_finished else None,
            seconds=120,
        )

    def written(self, run_id: str) -> str:
        """Wait until the op of a run has written its file and return the content."""
        path = self.folder / f"{run_id}.txt"
        return wait_for("the run's file", lambda: path.read_text() if path.exists() else None, seconds=120)

    def processes(self, title: str) -> list[psutil.Process]:
        """Return the server's processes with a text in their title."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in children if title in _command_line(process)]


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _recon_job() -> ReconstructableJob:
    import warm_jobs  # type: ignore[import-not-found] # written by the test

    return reconstructable(warm_jobs.work)


def _listens(socket: Path) -> bool:
    try:
        connect(socket, timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def run_server(
    folder: Path, instance: DagsterInstance, *, definitions: str = DEFINITIONS
) -> Iterator[RunServerHarness]:
    (folder / "warm_jobs.py").write_text(definitions)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        sys.executable,
        "-m",
        "pipeline.dagster_host.run_server",
        "--socket",
        str(folder / "runs.sock"),
    ]
    process = subprocess.Popen([*command, "-m", "warm_jobs"], env=environment, cwd=PROJECT)
    try:
        warm = RunServerHarness(folder, process, instance)
        wait_for("the server", lambda: _listens(warm.socket) or process.poll() is not None, seconds=120)
        yield warm
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def open_instance(folder: Path, *, more: str = "") -> Iterator[DagsterInstance]:
    (folder / "dagster.yaml").write_text(INSTANCE.format(socket=folder / "runs.sock") + more)
    (folder / "warm_jobs.py").write_text(DEFINITIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        patch.syspath_prepend(str(folder))
        with DagsterInstance.get() as opened:
            yield opened
