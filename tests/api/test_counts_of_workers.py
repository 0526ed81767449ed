"""Counts of several workers: one sum whoever is asked, nothing left of workers and servers that are gone."""

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


def work(by: int) -> int:
    """What a worker does: it counts, and holds a request."""
    process_metrics().answers.labels("cached").inc(by)
    process_metrics().in_flight.inc()
    return os.getpid()


def told(_: object = None) -> dict[str, float]:
    """What a worker tells."""
    lines = generate_latest(process_metrics().all_workers()).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


ANSWERS, IN_FLIGHT = 'registru_scrape_answers_total{answer="cached"}', "registru_http_requests_in_flight"


@pytest.fixture
def spawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpawnContext:
    """How uvicorn starts its workers, with a temporary folder of the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return multiprocessing.get_context("spawn")


def worker_of(spawn: SpawnContext) -> Pool:
    """One worker."""
    return spawn.Pool(1)


def test_a_worker_tells_of_all_and_forgets_what_the_dead_had_under_way(
    spawn: SpawnContext, tmp_path: Path
) -> None:
    with worker_of(spawn) as first:
        with worker_of(spawn) as second:
            assert first.apply(work, (2,)) != second.apply(work, (3,))
            for worker in (first, second):
                shown = worker.apply(told)
                assert (shown[ANSWERS], shown[IN_FLIGHT]) == (5, 2)
            second.terminate()
            second.join()
        with worker_of(spawn) as third:
            third.apply(work, (1,))
            shown = first.apply(told)
            assert (shown[ANSWERS], shown[IN_FLIGHT]) == (6, 2)  # the first one's and the third one's
    [folder] = tmp_path.glob("registru-metrics-*")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_start_begins_anew_and_removes_what_earlier_ones_left(spawn: SpawnContext, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"registru-metrics-{os.getuid()}-{gone.pid}-1700000000"
    left.mkdir()
    with worker_of(spawn) as worker:
        worker.apply(work, (1,))
        assert worker.apply(told)[ANSWERS] == 1
    assert not left.exists()


def test_a_folder_that_others_may_write_to_is_refused(spawn: SpawnContext, tmp_path: Path) -> None:
    with worker_of(spawn) as worker:
        worker.apply(work, (1,))
    [folder] = tmp_path.glob("registru-metrics-*")
    folder.chmod(0o777)
    with worker_of(spawn) as worker, pytest.raises(RuntimeError, match="other users can access it"):
        worker.apply(work, (1,))
