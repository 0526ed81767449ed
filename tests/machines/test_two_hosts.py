"""Workers on two hosts share the work of one platform; one of them dies, is started again, is told to stop."""

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
from tests.machines.shared_batch import RUNS_A_HOST, TABS, runs_under_way, share, two_hosts, wait_until_ready
from tests.platform_harness import Platform, start_visit
from tests.polling import wait_for
from warehouse.contract import Outcome

COMPANIES = 36
RATE = 4.0
WAITING = CASES[CaseName.NEVER_RENDERS].idno
Two = tuple[Platform, list[Host]]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder: Path = tmp_path_factory.mktemp("machines")
    with two_hosts(folder, rate=RATE, companies_a_run=6) as running:
        yield running


def test_a_batch_that_two_hosts_share_ends_right_though_one_of_them_is_killed(two: Two) -> None:
    platform, hosts = two
    shared = share(platform, hosts, companies=COMPANIES, kill_at=0.25, rate=RATE)

    assert shared.wrong == {}
    assert set(shared.done_by) == {host.name for host in hosts}
    # What was under way on the killed host is visited again, and nothing else.
    assert shared.again <= RUNS_A_HOST * TABS
    good = [idno for idno in shared.idnos if expected_outcome(idno) is Outcome.OK]
    rows = platform.query("SELECT idno, count(*) AS n FROM source_data WHERE outcome = 'ok' GROUP BY idno")
    assert {row["idno"]: row["n"] for row in rows} == dict.fromkeys(good, 1)
    records = platform.query("SELECT idno FROM transformed_data")
    assert sorted(row["idno"] for row in records) == sorted(good)
    # One rate over both hosts, by the site's own log.
    assert platform.site.max_documents_in(5) <= RATE * 5 + 1


def test_a_run_that_is_cancelled_on_another_host_ends_there(two: Two) -> None:
    platform, hosts = two
    with platform.signed_in() as user:
        run_id, _ = start_visit(platform, user, WAITING)
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.wait(run_id)["state"] == "cancelled"
        assert platform.finished_run(run_id)["status"] == "CANCELED"
    wait_for("no browser on the hosts", lambda: not any(map(drivers, hosts)))


def test_a_cancelled_run_that_does_not_heed_it_is_killed(two: Two) -> None:
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


def test_a_run_of_a_worker_that_was_started_again_is_made_anew(two: Two) -> None:
    platform, hosts = two
    host = hosts[-1]
    with platform.signed_in() as user:
        run_id, _ = start_visit(platform, user, WAITING)
        # Not necessarily `run_id`: who asks while another's cancelled run ends is given a new one when it has.
        killed = wait_for("the run", lambda: runs_under_way(platform, host))
        os.killpg(host.processes[-1].pid, signal.SIGKILL)
        host.processes[-1].wait()
        forgotten, foreign = old_output(host, str(uuid.uuid4())), old_output(host, "of-somebody-else")
        start_worker(host, platform, runs=RUNS_A_HOST)
        wait_until_ready([host])
        assert (forgotten.exists(), foreign.exists()) == (False, True)
        assert [(host.home.compute_logs / run).exists() for run in killed] == [True]
        status = user.wait(run_id, seconds=120)
    assert status["state"] == "failed"  # what this page comes to, and not what became of the first run
    assert status["companies"][0]["outcome"] == Outcome.TIMEOUT, status
    assert [platform.run(run_id)["status"] for run_id in killed] == ["FAILURE"]


def old_output(host: Host, name: str) -> Path:
    """Make a folder as that of what a run printed the day before yesterday."""
    folder = host.home.compute_logs / name
    (folder / "compute_logs").mkdir(parents=True)
    then = time.time() - 2 * 86_400
    os.utime(folder, (then, then))
    return folder


def drivers(host: Host) -> list[psutil.Process]:
    """Return the processes that drive a browser on a host."""
    return host.processes_named("chromedriver")
