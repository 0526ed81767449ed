"""Workers on two hosts share the runs of one platform; a host dies, a worker restarts, a run is cancelled."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from standin import expected_outcome
from standin.site_facts import make_idno
from tests.end_to_end.blocked_visits import visit_under_way
from tests.long_version import LONG
from tests.machines.hosts import Host, start_worker
from tests.machines.impatient_worker import KILL_AFTER_SECONDS
from tests.machines.shared_batch import (
    RUNS_PER_HOST,
    TABS,
    batch_of,
    list_current_runs,
    run_shared_batch,
    two_hosts,
    wait_until_ready,
)
from tests.platform_harness import VISIT_TIMEOUT_SECONDS, Platform
from tests.polling import wait_for
from warehouse.contract import Outcome

COMPANIES_PER_RUN = 20 if LONG else 5
IDNOS = batch_of(200) if LONG else batch_of(20, first=15)
"""The short batch has a permanent and a temporary fault, but no page that never renders, because that takes long."""
BLOCKED = IDNOS[COMPANIES_PER_RUN - 1 :: COMPANIES_PER_RUN]
"""A company of each run. Its visit lasts until the kill, so that no run ends before, however slow this machine is."""
RATE = 4.0
pytestmark = pytest.mark.timeout(900)
TwoHosts = tuple[Platform, list[Host]]


@pytest.fixture(scope="module")
def two(starts_platform: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    """A platform and its two hosts."""
    folder: Path = tmp_path_factory.mktemp("machines")
    with two_hosts(
        folder,
        rate=RATE,
        companies_per_run=COMPANIES_PER_RUN,
        visit_timeout_seconds=VISIT_TIMEOUT_SECONDS
        if LONG
        else 60,  # blocked visits do not end by themselves
    ) as running:
        yield running


def test_shared_batch_completes_although_one_host_is_killed(two: TwoHosts) -> None:
    platform, hosts = two
    blocked = () if LONG else BLOCKED
    result = run_shared_batch(platform, hosts, idnos=IDNOS, kill_at=0.25, rate=RATE, blocked=blocked)

    assert result.wrong == {}
    assert set(result.done_by) == {host.name for host in hosts}
    # Only visits that were in progress on the killed host are repeated.
    assert result.repeated <= RUNS_PER_HOST * TABS
    good = [idno for idno in result.idnos if expected_outcome(idno) is Outcome.OK]
    rows = platform.query(
        "SELECT idno, count(*) AS n FROM source_data WHERE outcome = 'ok' AND idno = ANY(:idnos) GROUP BY idno",
        idnos=IDNOS,
    )
    assert {row["idno"]: row["n"] for row in rows} == dict.fromkeys(good, 1)
    records = platform.query("SELECT idno FROM transformed_data WHERE idno = ANY(:idnos)", idnos=IDNOS)
    assert sorted(row["idno"] for row in records) == sorted(good)
    # The rate limit holds for both hosts together, by the site's own log.
    assert platform.site.max_documents_in(5) <= RATE * 5 + 1


def test_cancelled_run_ends_on_its_host(two: TwoHosts) -> None:
    platform, hosts = two
    with platform.signed_in() as user, visit_under_way(platform, user, make_idno(9_001)) as (run_id, _):
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.wait(run_id)["state"] == "cancelled"
        assert platform.finished_run(run_id)["status"] == "CANCELED"
        wait_for("no browser on the hosts", lambda: not any(map(drivers, hosts)), seconds=120)


def test_cancelled_run_that_does_not_respond_is_killed(two: TwoHosts) -> None:
    platform, hosts = two
    with platform.signed_in() as user, visit_under_way(platform, user, make_idno(9_002)) as (run_id, _):
        [driver, *_] = [process for host in hosts for process in drivers(host)]
        run = driver.parent()
        assert run is not None
        run.suspend()
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.wait(run_id)["state"] == "cancelled"
        wait_for(
            "no browser on the hosts",
            lambda: not any(map(drivers, hosts)),
            seconds=KILL_AFTER_SECONDS + 120,
        )


def test_run_of_a_restarted_worker_is_launched_again(two: TwoHosts) -> None:
    platform, hosts = two
    with platform.signed_in() as user:
        with visit_under_way(platform, user, make_idno(9_003)) as (run_id, _):
            host = wait_for(
                "the run", lambda: next(filter(partial(list_current_runs, platform), hosts), None)
            )
            killed = list_current_runs(platform, host)
            os.killpg(host.processes[-1].pid, signal.SIGKILL)
            host.processes[-1].wait()
        outdated, foreign = make_old_logs(host, str(uuid.uuid4())), make_old_logs(host, "not-a-run")
        start_worker(host, platform, runs=RUNS_PER_HOST)
        wait_until_ready([host])
        assert (outdated.exists(), foreign.exists()) == (False, True)
        assert [(host.home.compute_logs / run).exists() for run in killed] == [True]
        status = user.wait(run_id, seconds=180)
    assert status["state"] == "succeeded", status  # the outcome of this page, not of the killed run
    assert status["companies"][0]["outcome"] == Outcome.OK, status
    assert killed == [run_id]
    assert platform.run(run_id)["status"] == "FAILURE"


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
