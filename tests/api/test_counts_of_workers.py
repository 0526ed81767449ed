"""Tests of metrics of several workers: every worker returns the sums, without gauges of dead workers."""

import multiprocessing
import os
import subprocess
from multiprocessing.context import SpawnContext
from pathlib import Path

import pytest

from tests.api.counting_worker import CountingWorker, count, exposed

ANSWERS, IN_FLIGHT = 'registru_scrape_answers_total{answer="cached"}', "registru_http_requests_in_flight"


@pytest.fixture
def spawn(starts_stores: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpawnContext:
    """The start method that uvicorn uses for its workers, with a separate temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return multiprocessing.get_context("spawn")


def test_worker_returns_counts_of_all_and_drops_gauges_of_dead_workers(
    spawn: SpawnContext, tmp_path: Path
) -> None:
    with CountingWorker(spawn) as first:
        with CountingWorker(spawn) as second:
            assert first.call(count, 2) != second.call(count, 3)
            for worker in (first, second):
                shown = worker.call(exposed)
                assert (shown[ANSWERS], shown[IN_FLIGHT]) == (5, 2)
        with CountingWorker(spawn) as third:
            third.call(count, 1)
            shown = first.call(exposed)
            assert (shown[ANSWERS], shown[IN_FLIGHT]) == (6, 2)  # of the first and the third worker
    [folder] = tmp_path.glob("registru-metrics-*")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_start_begins_at_zero_and_removes_folders_of_ended_servers(
    spawn: SpawnContext, tmp_path: Path
) -> None:
    gone = subprocess.Popen(["true"])  # noqa: S607 - any program that ends
    gone.wait()
    left = tmp_path / f"registru-metrics-{os.getuid()}-{gone.pid}-1700000000"
    left.mkdir()
    with CountingWorker(spawn) as worker:
        worker.call(count, 1)
        assert worker.call(exposed)[ANSWERS] == 1
    assert not left.exists()


def test_folder_that_other_users_can_access_is_refused(spawn: SpawnContext, tmp_path: Path) -> None:
    with CountingWorker(spawn) as worker:
        worker.call(count, 1)
    [folder] = tmp_path.glob("registru-metrics-*")
    folder.chmod(0o777)
    with CountingWorker(spawn) as worker, pytest.raises(RuntimeError, match="other users can access it"):
        worker.call(count, 1)
