"""Tests of metrics of several workers: every worker returns the sums, without gauges of dead workers."""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.context import SpawnContext
from multiprocessing.pool import Pool
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from api.metrics.process_metrics import process_metrics


def count(by: int) -> int:
    """Count answers in a worker, and begin a request that does not end; return the worker's process id."""
    process_metrics().answers.labels("cached").inc(by)
    process_metrics().in_flight.inc()
    return os.getpid()


def exposed(_: object = None) -> dict[str, float]:
    """Return the metrics that a worker exposes."""
    lines = generate_latest(process_metrics().all_workers()).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


ANSWERS, IN_FLIGHT = 'registru_scrape_answers_total{answer="cached"}', "registru_http_requests_in_flight"


@pytest.fixture
def spawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpawnContext:
    """The start method that uvicorn uses for its workers, with a separate temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return multiprocessing.get_context("spawn")


def worker_of(spawn: SpawnContext) -> Pool:
    """Return a pool with one worker."""
    return spawn.Pool(1)


def test_worker_returns_counts_of_all_and_drops_gauges_of_dead_workers(
    spawn: SpawnContext, tmp_path: Path
) -> None:
    with worker_of(spawn) as first:
        with worker_of(spawn) as second:
            assert first.apply(count, (2,)) != second.apply(count, (3,))
            for worker in (first, second):
                shown = worker.apply(exposed)
                assert (shown[ANSWERS], shown[IN_FLIGHT]) == (5, 2)
            second.terminate()
            second.join()
        with worker_of(spawn) as third:
            third.apply(count, (1,))
            shown = first.apply(exposed)
            assert (shown[ANSWERS], shown[IN_FLIGHT]) == (6, 2)  # of the first and the third worker
    [folder] = tmp_path.glob("registru-metrics-*")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_start_begins_at_zero_and_removes_folders_of_ended_servers(
    spawn: SpawnContext, tmp_path: Path
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"registru-metrics-{os.getuid()}-{gone.pid}-1700000000"
    left.mkdir()
    with worker_of(spawn) as worker:
        worker.apply(count, (1,))
        assert worker.apply(exposed)[ANSWERS] == 1
    assert not left.exists()


def test_folder_that_other_users_can_access_is_refused(spawn: SpawnContext, tmp_path: Path) -> None:
    with worker_of(spawn) as worker:
        worker.apply(count, (1,))
    [folder] = tmp_path.glob("registru-metrics-*")
    folder.chmod(0o777)
    with worker_of(spawn) as worker, pytest.raises(RuntimeError, match="other users can access it"):
        worker.apply(count, (1,))
