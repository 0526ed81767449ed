"""Runs are forked from a warm process: isolated, ended when told, missed when they die, and never left behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.launcher.base import WorkerStatus
from dagster._serdes import serialize_value

from pipeline.dagster_host.run_launcher import WarmRunLauncher
from pipeline.dagster_host.run_server import GONE, HEALTH, LAUNCH
from pipeline.dagster_host.run_worker import KILL_AFTER_SECONDS
from pipeline.local_socket import send_request
from tests.pipeline.run_server_harness import DEFINITIONS, Warm, opened_instance, run_server
from tests.polling import wait_for

RUNS = int(os.environ.get("REGISTRU_RUNS", "10"))
"""How many runs in a row leave nothing behind; `make runs-in-a-row` takes 200."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """For a test that has a server of its own."""
    with opened_instance(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    folder = tmp_path_factory.mktemp("warm")
    with opened_instance(folder) as instance, run_server(folder, instance) as running:
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
    assert send_request(warm.socket, asked, timeout=10) == {"state": GONE}
    assert send_request(warm.socket, {**asked, "worker": None}, timeout=10) == {"state": GONE}
    assert launcher.terminate(run_id)
    assert warm.ended(run_id) is DagsterRunStatus.CANCELED


@contextmanager
def server_after_one_that_was_killed(
    folder: Path, instance: DagsterInstance, *, then: str
) -> Iterator[tuple[Warm, str, psutil.Process]]:
    """Yield a server, and a run with its process that one before it has left."""
    with run_server(folder, instance) as first:
        run_id = first.launch(then)
        first.said(run_id)
        [process] = first.processes(f"dagster-run {run_id}")
        first.process.kill()
        first.process.wait(10)
        with run_server(folder, instance) as second:
            yield second, run_id, process


def test_runs_outlive_a_server_that_is_killed_and_the_next_one_knows_them(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with server_after_one_that_was_killed(tmp_path, instance, then="wait") as (second, run_id, _):
        launcher = second.instance.run_launcher
        health = launcher.check_run_worker_health(second.run(run_id))
        assert health.status is WorkerStatus.RUNNING
        assert launcher.terminate(run_id)
        assert second.ended(run_id) is DagsterRunStatus.CANCELED


def test_a_run_that_hangs_is_killed_though_its_server_was_replaced_twice(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with server_after_one_that_was_killed(tmp_path, instance, then="hang") as (second, run_id, hanging):
        assert second.instance.run_launcher.terminate(run_id)
        second.module.write_text(DEFINITIONS.replace('VERSION = "one"', 'VERSION = "the second"'))
        assert second.said(second.launch()) == "the second 1"
        wait_for("the end of what hangs", lambda: not hanging.is_running(), seconds=KILL_AFTER_SECONDS + 30)


def test_an_orderly_end_ends_the_runs(tmp_path: Path, instance: DagsterInstance) -> None:
    with run_server(tmp_path, instance) as warm:
        run_id = warm.launch("wait")
        warm.said(run_id)
        processes = psutil.Process(warm.process.pid).children(recursive=True)
    assert warm.ended(run_id) in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
    wait_for("the end of all", lambda: not any(process.is_running() for process in processes))


def test_code_that_has_changed_is_what_the_next_run_executes_and_runs_under_way_are_kept(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with run_server(tmp_path, instance) as warm:
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
    with run_server(tmp_path, instance, definitions=threaded) as warm:
        request = {"op": LAUNCH, "run_id": "x", "instance": serialize_value(instance.get_ref())}
        answer = send_request(warm.socket, request, timeout=10)
    assert "2 threads" in answer["error"]


def test_a_server_that_was_stopped_does_not_launch_what_was_launched_another_way_meanwhile(
    warm: Warm,
) -> None:
    run_id = warm.create("wait").run_id
    request = {"op": LAUNCH, "run_id": run_id, "instance": serialize_value(warm.instance.get_ref())}
    os.kill(warm.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            send_request(warm.socket, request, timeout=0.2)
    finally:
        os.kill(warm.process.pid, signal.SIGCONT)

    # Answered after the one before.
    asked: dict[str, Any] = {"op": HEALTH, "run_id": run_id}
    assert send_request(warm.socket, asked, timeout=10) == {"state": GONE}
    assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS
    assert warm.run(run_id).status is DagsterRunStatus.NOT_STARTED


@pytest.mark.parametrize("request_", [{}, {"op": "dance", "run_id": "x"}, {"op": LAUNCH}])
def test_a_request_that_is_none_is_answered_with_what_is_wrong(warm: Warm, request_: dict[str, str]) -> None:
    assert send_request(warm.socket, request_, timeout=10)["error"]
    assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS


@pytest.mark.timeout(900)
def test_runs_in_a_row_leave_no_process_and_no_descriptor(warm: Warm) -> None:
    server = psutil.Process(warm.process.pid)

    def held() -> int | None:
        """How many descriptors the server has, once it has no process but the one that stands by."""
        alone = len(server.children(recursive=True)) == 1 and warm.processes("dagster-standby")
        return server.num_fds() if alone else None

    assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS
    before = wait_for("the process that stands by, alone", held)
    for _ in range(RUNS):
        assert warm.ended(warm.launch()) is DagsterRunStatus.SUCCESS
    after = wait_for("the process that stands by, alone", held)
    assert after <= before
