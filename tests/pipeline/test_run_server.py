"""Tests of the run server: it forks isolated processes, ends them, reports their death and leaves none behind."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.launcher.base import WorkerStatus
from dagster._serdes import serialize_value

from pipeline.dagster_host.run_launcher import WarmRunLauncher
from pipeline.dagster_host.run_server import GONE, HEALTH, LAUNCH
from pipeline.local_socket import send_request
from tests.long_version import LONG
from tests.pipeline.run_server_harness import (
    DEFINITIONS,
    IMPATIENT,
    KILL_AFTER_SECONDS,
    RunServerHarness,
    open_instance,
    run_server,
)
from tests.polling import wait_for

RUNS = int(os.environ.get("REGISTRU_RUNS", "10" if LONG else "4"))
"""How many runs in a row leak nothing; `make runs-in-a-row` takes 200."""


@pytest.fixture
def instance(starts_platform: None, tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance for a test that starts its own server."""
    with open_instance(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(starts_platform: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunServerHarness]:
    folder = tmp_path_factory.mktemp("warm")
    with open_instance(folder) as instance, run_server(folder, instance) as running:
        yield running


def test_each_run_has_its_own_isolated_process(server: RunServerHarness) -> None:
    first, second = server.launch(), server.launch()

    assert server.wait_until_ended(first) is server.wait_until_ended(second) is DagsterRunStatus.SUCCESS
    assert server.written(first) == server.written(second) == "one 1"
    assert len({server.run(run_id).tags[".dagster/warm_worker"] for run_id in (first, second)}) == 2


def test_dead_process_is_reported_with_its_signal(server: RunServerHarness) -> None:
    run_id = server.launch("die")

    assert server.wait_until_ended(run_id) is DagsterRunStatus.FAILURE
    messages = [entry.message for entry in server.instance.all_logs(run_id)]
    assert any("SIGKILL" in message for message in messages), messages


def test_terminating_a_run_ends_its_process(server: RunServerHarness) -> None:
    run_id = server.launch("wait")
    server.written(run_id)

    assert server.instance.run_launcher.terminate(run_id)
    assert server.wait_until_ended(run_id) is DagsterRunStatus.CANCELED
    wait_for("the end of the process", lambda: not server.processes("dagster-run"))


def test_processes_that_a_run_started_end_with_the_run(server: RunServerHarness) -> None:
    run_id = server.launch("leave")

    assert server.wait_until_ended(run_id) is DagsterRunStatus.SUCCESS
    left = int((server.folder / f"{run_id}.pid").read_text())
    wait_for("the end of the started process", lambda: not psutil.pid_exists(left))


def test_health_check_recognizes_a_reused_pid(server: RunServerHarness) -> None:
    run_id = server.launch("wait")
    server.written(run_id)
    launcher = server.instance.run_launcher
    assert isinstance(launcher, WarmRunLauncher)
    assert launcher.check_run_worker_health(server.run(run_id)).status is WorkerStatus.RUNNING

    other = {"pid": os.getpid(), "started": psutil.Process().create_time() - 100}
    asked: dict[str, Any] = {"op": HEALTH, "run_id": "another", "worker": other}
    assert send_request(server.socket, asked, timeout=60) == {"state": GONE}
    assert send_request(server.socket, {**asked, "worker": None}, timeout=60) == {"state": GONE}
    assert launcher.terminate(run_id)
    assert server.wait_until_ended(run_id) is DagsterRunStatus.CANCELED


@dataclass(frozen=True)
class ReplacedServer:
    """A server that follows a killed one, and two runs that the killed one has left."""

    server: RunServerHarness
    waiting: str
    hanging: str
    hanging_process: psutil.Process


@pytest.fixture(scope="module")
def replaced(starts_platform: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplacedServer]:
    folder = tmp_path_factory.mktemp("replaced")
    with open_instance(folder) as instance, run_server(folder, instance, definitions=IMPATIENT) as first:
        waiting, hanging = first.launch("wait"), first.launch("hang")
        for run_id in (waiting, hanging):
            first.written(run_id)
        [process] = first.processes(f"dagster-run {hanging}")
        first.process.kill()
        first.process.wait(60)
        with run_server(folder, instance, definitions=IMPATIENT) as second:
            yield ReplacedServer(second, waiting, hanging, process)


def test_runs_survive_a_killed_server_and_the_next_one_knows_them(replaced: ReplacedServer) -> None:
    server, run_id = replaced.server, replaced.waiting
    launcher = server.instance.run_launcher
    health = launcher.check_run_worker_health(server.run(run_id))
    assert health.status is WorkerStatus.RUNNING
    assert launcher.terminate(run_id)
    assert server.wait_until_ended(run_id) is DagsterRunStatus.CANCELED


def test_hanging_run_is_killed_although_its_server_was_replaced_twice(replaced: ReplacedServer) -> None:
    server = replaced.server
    assert server.instance.run_launcher.terminate(replaced.hanging)
    version = server.change_code()
    assert server.written(server.launch()) == f"{version} 1"
    wait_for(
        "the end of the hanging process",
        lambda: not replaced.hanging_process.is_running(),
        seconds=KILL_AFTER_SECONDS + 120,
    )


def test_next_run_executes_changed_code_and_active_runs_continue(replaced: ReplacedServer) -> None:
    server = replaced.server
    under_way = server.launch("wait")
    server.written(under_way)
    version = server.change_code()

    later = server.launch()

    assert server.wait_until_ended(later) is DagsterRunStatus.SUCCESS
    assert server.written(later) == f"{version} 1"
    assert server.instance.run_launcher.terminate(under_way)
    assert server.wait_until_ended(under_way) is DagsterRunStatus.CANCELED


def test_stopping_the_server_ends_the_runs(tmp_path: Path, instance: DagsterInstance) -> None:
    with run_server(tmp_path, instance) as server:
        run_id = server.launch("wait")
        server.written(run_id)
        processes = psutil.Process(server.process.pid).children(recursive=True)
    assert server.wait_until_ended(run_id) in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
    wait_for("the end of all processes", lambda: not any(process.is_running() for process in processes))


def test_server_with_a_second_thread_does_not_fork(tmp_path: Path, instance: DagsterInstance) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    threaded = thread + DEFINITIONS
    with run_server(tmp_path, instance, definitions=threaded) as server:
        request = {"op": LAUNCH, "run_id": "x", "instance": serialize_value(instance.get_ref())}
        answer = send_request(server.socket, request, timeout=60)
    assert "2 threads" in answer["error"]


def test_paused_server_skips_a_request_whose_client_has_gone(
    server: RunServerHarness,
) -> None:
    run_id = server.create("wait").run_id
    request = {"op": LAUNCH, "run_id": run_id, "instance": serialize_value(server.instance.get_ref())}
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            send_request(server.socket, request, timeout=0.2)
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    # The server answers this request after the paused one.
    asked: dict[str, Any] = {"op": HEALTH, "run_id": run_id}
    assert send_request(server.socket, asked, timeout=60) == {"state": GONE}
    assert server.wait_until_ended(server.launch()) is DagsterRunStatus.SUCCESS
    assert server.run(run_id).status is DagsterRunStatus.NOT_STARTED


@pytest.mark.parametrize("request_", [{}, {"op": "dance", "run_id": "x"}, {"op": LAUNCH}])
def test_malformed_request_is_answered_with_an_error(
    server: RunServerHarness, request_: dict[str, str]
) -> None:
    assert send_request(server.socket, request_, timeout=60)["error"]
    assert server.wait_until_ended(server.launch()) is DagsterRunStatus.SUCCESS


@pytest.mark.timeout(900)
def test_runs_in_a_row_leak_no_process_and_no_descriptor(server: RunServerHarness) -> None:
    process = psutil.Process(server.process.pid)

    def open_descriptors() -> int | None:
        """Return the server's number of descriptors once the standby worker is its only process."""
        alone = len(process.children(recursive=True)) == 1 and server.processes("dagster-standby")
        return process.num_fds() if alone else None

    assert server.wait_until_ended(server.launch()) is DagsterRunStatus.SUCCESS
    before = wait_for("only the standby worker", open_descriptors, seconds=120)
    for _ in range(RUNS):
        assert server.wait_until_ended(server.launch()) is DagsterRunStatus.SUCCESS
    after = wait_for("only the standby worker", open_descriptors, seconds=120)
    assert after <= before
