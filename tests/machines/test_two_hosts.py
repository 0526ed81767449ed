"""Workers on two hosts share the runs of one platform; a host dies, a worker restarts, a run is cancelled."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from pipeline.dagster_host.run_worker import KILL_AFTER_SECONDS
from standin import CASES, CaseName, expected_outcome
from tests.machines.hosts import Host, start_worker
from tests.machines.shared_batch import (
    RUNS_PER_HOST,
    TABS,
    list_current_runs,
    run_shared_batch,
    two_hosts,
    wait_until_ready,
)
from tests.platform_harness import Platform, start_visit
from tests.polling import wait_for
from warehouse.contract import Outcome

COMPANIES = 36
RATE = 4.0
WAITING = CASES[CaseName.NEVER_RENDERS].idno
TwoHosts = tuple[Platform, list[Host]]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    """A platform and its two hosts."""
    folder: Path = tmp_path_factory.mktemp("machines")
    with two_hosts(folder, rate=RATE, companies_per_run=6) as running:
        yield running


def test_shared_batch_completes_although_one_host_is_killed(two: TwoHosts) -> None:
    platform, hosts = two
    result = run_shared_batch(platform, hosts, companies=COMPANIES, kill_at=0.25, rate=RATE)

    assert result.wrong == {}
    assert set(result.done_by) == {host.name for host in hosts}
    # Only visits that were in progress on the killed host are repeated.
    assert result.repeated <= RUNS_PER_HOST * TABS
    good = [idno for idno in result.idnos if expected_outcome(idno) is Outcome.OK]
    rows = platform.query("SELECT idno, count(*) AS n FROM source_data WHERE outcome = 'ok' GROUP BY idno")
    assert {row["idno"]: row["n"] for row in rows} == dict.fromkeys(good, 1)
    records = platform.query("SELECT idno FROM transformed_data")
    assert sorted(row["idno"] for row in records) == sorted(good)
    # The rate limit holds for both hosts together, by the site's own log.
    assert platform.site.max_documents_in(5) <= RATE * 5 + 1


def test_cancelled_run_ends_on_its_host(two: TwoHosts) -> None:
    platform, hosts = two
    with platform.signed_in() as user:
        run_id, _ = start_visit(platform, user, WAITING)
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.wait(run_id)["state"] == "cancelled"
        assert platform.finished_run(run_id)["status"] == "CANCELED"
    wait_for("no browser on the hosts", lambda: not any(map(drivers, hosts)))


def test_cancelled_run_that_does_not_respond_is_killed(two: TwoHosts) -> None:
    platform, hosts = two
    with platform.signed_in() as user:
        run_id, _ = start_visit(platform, user, WAITING)
        [driver, *_] = [process for host in hosts for process in drivers(host)]
        run = driver.parent()
        assert run is not None
        run.suspend()
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.wait(run_id)["state"] == "cancelled"
    wait_for("no browser on the hosts", lambda: not any(map(drivers, hosts)), seconds=KILL_AFTER_SECONDS + 30)


def test_run_of_a_restarted_worker_is_launched_again(two: TwoHosts) -> None:
    platform, hosts = two
    host = hosts[-1]
    with platform.signed_in() as user:
        run_id, _ = start_visit(platform, user, WAITING)
        # Not always `run_id`: a request during the termination of an earlier run gets a new run afterwards.
        killed = wait_for("the run", lambda: list_current_runs(platform, host))
        os.killpg(host.processes[-1].pid, signal.SIGKILL)
        host.processes[-1].wait()
        outdated, foreign = make_old_logs(host, str(uuid.uuid4())), make_old_logs(host, "not-a-run")
        start_worker(host, platform, runs=RUNS_PER_HOST)
        wait_until_ready([host])
        assert (outdated.exists(), foreign.exists()) == (False, True)
        assert [(host.home.compute_logs / run).exists() for run in killed] == [True]
        status = user.wait(run_id, seconds=120)
    assert status["state"] == "failed"  # the outcome of this page, not of the killed run
    assert status["companies"][0]["outcome"] == Outcome.TIMEOUT, status
    assert [platform.run(run_id)["status"] for run_id in killed] == ["FAILURE"]


def make_old_logs(host: Host, name: str) -> Path:
    """Create a folder that looks like the compute logs of a run two days ago."""
    folder = host.home.compute_logs / name
    (folder / "compute_logs").mkdir(parents=True)
    two_days_ago = time.time() - 2 * 86_400
    os.utime(folder, (two_days_ago, two_days_ago))
    return folder


def drivers(host: Host) -> list[psutil.Process]:
    """Return the chromedriver processes of a host."""
    return host.processes_of_program("chromedriver")
