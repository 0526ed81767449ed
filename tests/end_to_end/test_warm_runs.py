"""Runs start in a standby worker and borrow a running browser; many runs leave nothing behind."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest
from redis import Redis
from sqlalchemy import text

from stack import valkey
from stack.secrets import load_or_create
from standin.site_facts import make_idno
from tests.end_to_end.blocked_visits import visit_under_way
from tests.long_version import LONG
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles

SCRAPE_COUNT = int(os.environ.get("REGISTRU_RUNS", "200" if LONG else "5"))
"""The number of scrapes in a row; `make runs-in-a-row` uses 200, like the long version."""


def _messages(platform: Platform, run_id: str) -> list[str]:
    events = platform.finished_run(run_id)["eventConnection"]["events"]
    return [f"{event['__typename']}: {event.get('message', '')}" for event in events]


def test_run_of_a_single_request_skips_the_queue_and_starts_no_process(
    platform: Platform, user: PlatformUser
) -> None:
    platform.wait_until_only_warm_browsers_remain()
    lent_drivers = platform.drivers()
    with visit_under_way(platform, user, make_idno(34_011)) as (run_id, _):
        worker = platform.worker(run_id)
        servers = platform.processes("pipeline.dagster_host.run_server")
        assert worker.ppid() in {server.pid for server in servers}
        assert platform.drivers() == lent_drivers
    assert user.wait(run_id)["state"] == "succeeded"
    messages = _messages(platform, run_id)
    assert not any(message.startswith("RunEnqueuedEvent") for message in messages)


def test_bulk_work_waits_in_the_queue(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(34_000 + number) for number in range(2)]
    answer = platform.launch({"ops": {"source_data": {"config": {"idnos": idnos}}}})

    messages = _messages(platform, answer["run"]["runId"])
    assert any(message.startswith("RunEnqueuedEvent") for message in messages)


@contextmanager
def _no_run_server(platform: Platform) -> Iterator[None]:
    """Hide the run server's socket during the block."""
    socket = platform.home.work / "runs.sock"
    hidden = socket.rename(socket.with_suffix(".hidden"))
    try:
        yield
    finally:
        hidden.rename(socket)


def test_without_a_run_server_dagsters_default_launcher_starts_the_run_and_logs_it(
    platform: Platform, user: PlatformUser
) -> None:
    with _no_run_server(platform):
        run_id = user.ask(make_idno(34_010)).json()["run_id"]
        assert user.wait(run_id)["state"] == "succeeded"
    assert any("No warm process for this run" in message for message in _messages(platform, run_id))


def test_run_of_dagsters_default_launcher_can_be_terminated(platform: Platform, user: PlatformUser) -> None:
    with (
        _no_run_server(platform),
        visit_under_way(platform, user, make_idno(34_012)) as (run_id, _),
    ):
        platform.terminate(run_id)
        assert user.wait(run_id)["state"] == "cancelled"
    platform.wait_until_only_warm_browsers_remain()


@dataclass(frozen=True)
class HeldResources:
    """The machine's resources that the platform uses."""

    processes: int
    descriptors: int
    connections: int
    redis_clients: int
    folders: int

    def __le__(self, other: "HeldResources") -> bool:
        return all(value <= getattr(other, name) for name, value in vars(self).items())


def _measure(platform: Platform, redis: Redis) -> HeldResources:
    with platform.warehouse() as connection:
        # Only connections of runs: the pools of the API and of Dagster's servers grow up to their limits.
        statement = "SELECT count(*) FROM pg_stat_activity WHERE usename = :role AND pid <> pg_backend_pid()"
        connections = connection.execute(text(statement), {"role": database_roles.PIPELINE}).scalar_one()
    folders = [
        *platform.home.work.glob("chrome/*"),
        *platform.home.work.glob("spool/*/*"),
        *platform.scratch.iterdir(),
    ]
    processes = [
        *platform.processes("pipeline.dagster_host.run_server"),
        *platform.processes("pipeline.extract.browser.browser_lender"),
    ]
    return HeldResources(
        # Without the child processes of Chrome, whose number varies.
        processes=len(platform.processes("")) - len(platform.processes(" --type=")),
        descriptors=sum(process.num_fds() for process in processes),
        connections=connections,
        redis_clients=len(redis.client_list()),
        folders=len(folders),
    )


def _at_rest(platform: Platform, redis: Redis) -> HeldResources | None:
    """Return the used resources; None while a run is active or no standby worker is ready."""
    if platform.runs() or not platform.processes("dagster-standby"):
        return None
    try:
        return _measure(platform, redis)
    except psutil.Error:
        return None


@pytest.mark.timeout(1200)
def test_scrapes_in_a_row_leak_no_process_descriptor_connection_or_folder(
    platform: Platform, user: PlatformUser
) -> None:
    secrets = load_or_create(platform.home.secrets)
    with Redis.from_url(valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE)) as redis:
        for number in range(3):  # until every pool is full
            assert user.fetch(make_idno(34_100 + number))["state"] == "succeeded"
        platform.wait_until_only_warm_browsers_remain()
        before = wait_for("the end of all runs", lambda: _at_rest(platform, redis))
        for number in range(SCRAPE_COUNT):
            assert user.fetch(make_idno(34_200 + number))["state"] == "succeeded"
        platform.wait_until_only_warm_browsers_remain()

        after = wait_for("the end of all runs", lambda: _at_rest(platform, redis))
        deadline = time.monotonic() + 60  # for processes and connections that are ending
        while not after <= before and time.monotonic() < deadline:
            after = wait_for("the end of all runs", lambda: _at_rest(platform, redis))
        assert after <= before, (before, after)
