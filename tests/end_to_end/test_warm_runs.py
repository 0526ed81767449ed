"""Runs come from a warm process and borrow a running browser; many of them leave nothing behind."""

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
from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles

SCRAPES = int(os.environ.get("REGISTRU_RUNS", "10"))
"""How many in a row leave nothing behind; `make runs-in-a-row` takes 200."""
SLOW = CASES[CaseName.SLOW].idno


def _messages(platform: Platform, run_id: str) -> list[str]:
    events = platform.finished_run(run_id)["eventConnection"]["events"]
    return [f"{event['__typename']}: {event.get('message', '')}" for event in events]


def test_a_run_that_somebody_waits_for_skips_the_queue_and_starts_no_interpreter_and_no_browser(
    platform: Platform, user: PlatformUser
) -> None:
    platform.wait_until_only_warm_browsers_remain()
    kept = platform.drivers()
    visits = platform.site.visits(SLOW)
    run_id = user.ask(SLOW).json()["run_id"]
    worker = platform.worker(run_id)
    [server] = [
        each for each in platform.processes("pipeline.dagster_host.run_server") if each.pid != worker.pid
    ]

    assert worker.ppid() == server.pid
    wait_for("the visit", lambda: platform.site.visits(SLOW) > visits)
    assert platform.drivers() == kept
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
    socket = platform.home.work / "runs.sock"
    hidden = socket.rename(socket.with_suffix(".hidden"))
    try:
        yield
    finally:
        hidden.rename(socket)


def test_where_no_warm_process_is_to_be_had_dagsters_own_launcher_takes_the_run_and_the_log_says_so(
    platform: Platform, user: PlatformUser
) -> None:
    with _no_run_server(platform):
        run_id = user.ask(make_idno(34_010)).json()["run_id"]
        assert user.wait(run_id)["state"] == "succeeded"
    assert any("No warm process for this run" in message for message in _messages(platform, run_id))


def test_a_run_of_dagsters_own_launcher_can_be_ended(platform: Platform, user: PlatformUser) -> None:
    waiting = CASES[CaseName.NEVER_RENDERS].idno
    visits = platform.site.visits(waiting)
    with _no_run_server(platform):
        run_id = user.ask(waiting).json()["run_id"]
        wait_for("the visit", lambda: platform.site.visits(waiting) > visits)
        platform.terminate(run_id)
        assert user.wait(run_id)["state"] == "cancelled"
    platform.wait_until_only_warm_browsers_remain()


@dataclass(frozen=True)
class HeldResources:
    """What the platform holds of the machine."""

    processes: int
    descriptors: int
    connections: int
    redis_clients: int
    folders: int

    def __le__(self, other: "HeldResources") -> bool:
        return all(value <= getattr(other, name) for name, value in vars(self).items())


def _held(platform: Platform, redis: Redis) -> HeldResources:
    with platform.warehouse() as connection:
        # Of the pipeline and of Dagster's runs; the API's pool and Dagster's servers grow to what they may.
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
        # Of how many processes a Chrome is made is its own affair.
        processes=len(platform.processes("")) - len(platform.processes(" --type=")),
        descriptors=sum(process.num_fds() for process in processes),
        connections=connections,
        redis_clients=len(redis.client_list()),
        folders=len(folders),
    )


def _at_rest(platform: Platform, redis: Redis) -> HeldResources | None:
    """Return what is held once no run is under way and all browsers are in order."""
    if platform.runs() or not platform.processes("dagster-standby"):
        return None
    try:
        return _held(platform, redis)
    except psutil.Error:
        return None


@pytest.mark.timeout(1200)
def test_scrapes_in_a_row_leave_no_process_descriptor_connection_or_folder(
    platform: Platform, user: PlatformUser
) -> None:
    secrets = load_or_create(platform.home.secrets)
    with Redis.from_url(valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE)) as redis:
        for number in range(3):  # until every pool has what it wants
            assert user.fetch(make_idno(34_100 + number))["state"] == "succeeded"
        platform.wait_until_only_warm_browsers_remain()
        before = wait_for("rest", lambda: _at_rest(platform, redis))
        for number in range(SCRAPES):
            assert user.fetch(make_idno(34_200 + number))["state"] == "succeeded"
        platform.wait_until_only_warm_browsers_remain()

        after = wait_for("rest", lambda: _at_rest(platform, redis))
        deadline = time.monotonic() + 30  # for what is just ending
        while not after <= before and time.monotonic() < deadline:
            after = wait_for("rest", lambda: _at_rest(platform, redis))
        assert after <= before, (before, after)
