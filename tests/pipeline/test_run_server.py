"""Runs are forked from a warm process: isolated, ended when told, missed when they die, and never left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableJob, reconstructable
from dagster._core.launcher.base import WorkerStatus
from dagster._serdes import serialize_value

from pipeline.launcher import WarmRunLauncher
from pipeline.local_socket import ask, connect
from pipeline.run_server import GONE, HEALTH, LAUNCH
from stack.home import PROJECT
from tests.platform import wait_for

RUNS = int(os.environ.get("REGISTRU_RUNS", "10"))
"""How many runs in a row leave nothing behind; `make runs-in-a-row` takes 200."""

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

INSTANCE = """
run_launcher:
  module: pipeline.launcher
  class: WarmRunLauncher
  config:
    socket: {socket}
telemetry:
  enabled: false
"""


@dataclass
class Warm:
    """A run server over definitions of its own, and Dagster's instance beside it."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    instance: DagsterInstance

    @property
    def socket(self) -> Path:
        return self.folder / "runs.sock"

    @property
    def module(self) -> Path:
        return self.folder / "warm_jobs.py"

    def launch(self, then: str = "end") -> str:
        """Launch a run; return its id."""
        config = {"ops": {"act": {"config": {"folder": str(self.folder), "then": then}}}}
        recon = _recon_job()
        run = self.instance.create_run_for_job(
            recon.get_definition(), run_config=config, job_code_origin=recon.get_python_origin()
        )
        self.instance.launch_run(run.run_id, None)  # type: ignore[arg-type] # no workspace: only warm runs work
        return run.run_id

    def run(self, run_id: str) -> DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def ended(self, run_id: str) -> DagsterRunStatus:
        """Return how a run ended, once it has."""
        return wait_for(
            f"the end of run {run_id}", lambda: run.status if (run := self.run(run_id)).is_finished else None
        )

    def said(self, run_id: str) -> str:
        """Return what the op of a run wrote down, once it has."""
        path = self.folder / f"{run_id}.txt"
        return wait_for("what the run writes", lambda: path.read_text() if path.exists() else None)

    def processes(self, title: str) -> list[psutil.Process]:
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if title in _command_line(process):
                found.append(process)
        return found


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
def _server(folder: Path, instance: DagsterInstance, *, definitions: str = DEFINITIONS) -> Iterator[Warm]:
    (folder / "warm_jobs.py").write_text(definitions)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pipeline.run_server", "--socket", str(folder / "runs.sock")]
    process = subprocess.Popen([*command, "-m", "warm_jobs"], env=environment, cwd=PROJECT)
    try:
        warm = Warm(folder, process, instance)
        wait_for("the server", lambda: _listens(warm.socket) or process.poll() is not None)
        yield warm
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def _instance(folder: Path) -> Iterator[DagsterInstance]:
    (folder / "dagster.yaml").write_text(INSTANCE.format(socket=folder / "runs.sock"))
    (folder / "warm_jobs.py").write_text(DEFINITIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        patch.syspath_prepend(str(folder))
        with DagsterInstance.get() as opened:
            yield opened


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """For a test that has a server of its own."""
    with _instance(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    folder = tmp_path_factory.mktemp("warm")
    with _instance(folder) as instance, _server(folder, instance) as running:
        yield running


def test_each_run_has_a_process_of_its_own_that_knows_nothing_of_others(warm: Warm) -> None:
    first, second = warm.launch(), warm.launch()

    assert warm.ended(first) is warm.ended(second) is DagsterRunStatus.SUCCESS
    assert warm.said(first) == warm.said(second) == "one 1"
    assert len({warm.run(run_id).tags[".dagster/warm_worker"] for run_id in (first, second)}) == 2


def test_a_run_whose_process_dies_is_reported_with_what_killed_it(warm: Warm) -> None:
    run_id = warm.launch("die")

    assert warm.ended(run_id) is DagsterRunStatus.FAILURE
    messages = [entry.message for entry in warm.instance.all_logs(run_id)]
    assert any("SIGKILL" in message for message in messages), messages


def test_a_run_that_is_ended_ends_its_process(warm: Warm) -> None:
    run_id = warm.launch("wait")
    warm.said(run_id)

    assert warm.instance.run_launcher.terminate(run_id)
    assert warm.ended(run_id) is DagsterRunStatus.CANCELED
    wait_for("the end of its process", lambda: not warm.processes("dagster-run"))


def test_what_a_run_started_and_left_ends_with_it(warm: Warm) -> None:
    run_id = warm.launch("leave")

    assert warm.ended(run_id) is DagsterRunStatus.SUCCESS
    left = int((warm.folder / f"{run_id}.pid").read_text())
    wait_for("the end of what it started", lambda: not psutil.pid_exists(left))


def test_health_tells_a_process_from_a_later_one_with_its_pid(warm: Warm) -> None:
    run_id = warm.launch("wait")
    warm.said(run_id)
    launcher = warm.instance.run_launcher
    assert isinstance(launcher, WarmRunLauncher)
    assert launcher.check_run_worker_health(warm.run(run_id)).status is WorkerStatus.RUNNING

    other = {"pid": os.getpid(), "started": psutil.Process().create_time() - 100}
    asked: dict[str, Any] = {"op": HEALTH, "run_id": "another", "worker": other}
    assert ask(warm.socket, asked, timeout=10) == {"state": GONE}
    assert ask(warm.socket, {**asked, "worker": None}, timeout=10) == {"state": GONE}
    assert launcher.terminate(run_id)
    assert warm.ended(run_id) is DagsterRunStatus.CANCELED


def test_runs_outlive_a_server_that_is_killed_and_the_next_one_knows_them(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with _server(tmp_path, instance) as first:
        run_id = first.launch("wait")
        first.said(run_id)
        first.process.kill()
        first.process.wait(10)
        with _server(tmp_path, instance) as second:
            launcher = second.instance.run_launcher
            health = launcher.check_run_worker_health(second.run(run_id))
            assert health.status is WorkerStatus.RUNNING
            assert launcher.terminate(run_id)
            assert second.ended(run_id) is DagsterRunStatus.CANCELED


def test_an_orderly_end_ends_the_runs(tmp_path: Path, instance: DagsterInstance) -> None:
    with _server(tmp_path, instance) as warm:
        run_id = warm.launch("wait")
        warm.said(run_id)
        processes = psutil.Process(warm.process.pid).children(recursive=True)
    assert warm.ended(run_id) in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
    wait_for("the end of all", lambda: not any(process.is_running() for process in processes))


def test_code_that_has_changed_is_what_the_next_run_executes_and_runs_under_way_are_kept(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with _server(tmp_path, instance) as warm:
        under_way = warm.launch("wait")
        warm.said(under_way)
        warm.module.write_text(DEFINITIONS.replace('VERSION = "one"', 'VERSION = "the second"'))

        later = warm.launch()

        assert warm.ended(later) is DagsterRunStatus.SUCCESS
        assert warm.said(later) == "the second 1"
        assert warm.instance.run_launcher.terminate(under_way)
        assert warm.ended(under_way) is DagsterRunStatus.CANCELED


def test_a_server_with_a_second_thread_does_not_fork(tmp_path: Path, instance: DagsterInstance) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    threaded = thread + DEFINITIONS
    with _server(tmp_path, instance, definitions=threaded) as warm:
        request = {"op": LAUNCH, "run_id": "x", "instance": serialize_value(instance.get_ref())}
        answer = ask(warm.socket, request, timeout=10)
    assert "2 threads" in answer["error"]


@pytest.mark.parametrize("request_", [{}, {"op": "dance", "run_id": "x"}, {"op": LAUNCH}])
def test_a_request_that_is_none_is_answered_with_what_is_wrong(warm: Warm, request_: dict[str, str]) -> None:
    assert ask(warm.socket, request_, timeout=10)["error"]
    assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS


@pytest.mark.timeout(900)
def test_runs_in_a_row_leave_no_process_and_no_descriptor(warm: Warm) -> None:
    server = psutil.Process(warm.process.pid)

    def held() -> tuple[int, int]:
        return server.num_fds(), len(server.children(recursive=True))

    assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS
    wait_for("a process that stands by", lambda: warm.processes("dagster-standby"))
    wait_for("the end of the first run", lambda: not warm.processes("dagster-run"))
    before = held()
    for _ in range(RUNS):
        assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS
    wait_for("as few as before", lambda: held() == before or None)
