"""Parts of the platform die under a request: it ends in a clear state, and nothing is lost."""

import signal
from contextlib import suppress

import httpx
import psutil
import pytest

from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for

# Its data never comes: the visit is under way for as long as it may take.
WAITING = CASES[CaseName.NEVER_RENDERS].idno


def _visit_under_way(platform: Platform, user: PlatformUser) -> str:
    """Ask for a company whose page never comes to an end, and wait until Chrome is there."""
    visits = platform.site.visits(WAITING)
    run_id: str = user.ask(WAITING).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(WAITING) > visits)
    return run_id


def test_a_killed_chrome_is_a_browser_error_that_is_tried_again_and_leaves_no_process(
    platform: Platform, user: PlatformUser
) -> None:
    idno = CASES[CaseName.SLOW].idno
    visits = platform.site.visits(idno)
    run_id = user.ask(idno).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    for process in platform.processes("--user-data-dir="):
        with suppress(psutil.NoSuchProcess):  # its parent's end was its own
            process.kill()

    status = user.wait(run_id)
    assert status["state"] == "succeeded"
    assert status["companies"][0]["attempts"] == 2
    captures = platform.query(
        "SELECT outcome, error FROM source_data WHERE run_id = :id ORDER BY id", id=run_id
    )
    assert [capture["outcome"] for capture in captures] == ["browser_error", "ok"]
    assert captures[0]["error"]
    platform.wait_until_only_warm_browsers_remain()


def test_a_killed_run_takes_its_browser_along_and_its_request_gets_another_run(
    platform: Platform, user: PlatformUser
) -> None:
    platform.wait_until_only_warm_browsers_remain()
    run_id = _visit_under_way(platform, user)
    kept = platform.drivers()
    platform.worker(run_id).kill()

    wait_for("the end of the one that it had", lambda: len(kept & platform.drivers()) == len(kept) - 1)
    status = user.wait(run_id, seconds=200)
    assert status["state"] == "failed"
    assert status["companies"][0]["outcome"] == "timeout"
    assert platform.finished_run(run_id)["status"] == "FAILURE"
    assert platform.query("SELECT 1 FROM run_results WHERE run_id <> :id AND idno = :i", id=run_id, i=WAITING)
    platform.wait_until_only_warm_browsers_remain()


def test_a_cancelled_run_ends_as_cancelled_and_ends_its_browser(
    platform: Platform, user: PlatformUser
) -> None:
    run_id = _visit_under_way(platform, user)
    platform.terminate(run_id)

    assert user.wait(run_id)["state"] == "cancelled"
    platform.wait_until_only_warm_browsers_remain()


def test_what_was_captured_before_a_cancel_is_kept(platform: Platform, user: PlatformUser) -> None:
    done = make_idno(3203)
    answer = platform.launch({"ops": {"source_data": {"config": {"idnos": [done, WAITING]}}}})
    run_id = answer["run"]["runId"]

    def stored() -> bool:
        return bool(
            platform.query("SELECT 1 FROM source_data WHERE run_id = :id AND idno = :i", id=run_id, i=done)
        )

    wait_for("the first capture", stored)
    platform.terminate(run_id)
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    platform.wait_until_only_warm_browsers_remain()


def test_a_killed_webserver_loses_no_run_and_repeats_none(platform: Platform, user: PlatformUser) -> None:
    idno = CASES[CaseName.SLOW].idno
    visits = platform.site.visits(idno)
    run_id = user.ask(idno).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    killed = platform.processes("pipeline.dagster_host.webserver")
    assert len(killed) == 2  # the one for readers too
    for process in killed:
        process.kill()

    assert user.wait(run_id)["state"] == "succeeded"
    assert len(platform.query("SELECT 1 FROM source_data WHERE run_id = :id", id=run_id)) == 1
    assert platform.site.visits(idno) == visits + 1


def test_without_dagster_nothing_is_accepted_and_nothing_stays_in_flight(
    platform: Platform, user: PlatformUser
) -> None:
    wait_for("quiet", lambda: platform.open_scrapes() == 0)
    [webserver] = [
        each
        for each in platform.processes("pipeline.dagster_host.webserver")
        if "--read-only" not in each.cmdline()
    ]
    webserver.suspend()
    try:
        answer = user.ask(make_idno(3201))
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert platform.open_scrapes() == 0
    finally:
        webserver.resume()
    platform.wait_until_healthy()
    assert user.fetch(make_idno(3201))["state"] == "succeeded"


@pytest.mark.parametrize(
    "name",
    [
        "valkey-server",
        "postgres -D",
        "pipeline.dagster_host.webserver",
        "api grpc",
        "pipeline.dagster_host.run_server",
    ],
)
def test_a_killed_part_comes_back_and_a_request_that_waits_still_ends(
    platform: Platform, user: PlatformUser, name: str
) -> None:
    run_id = _visit_under_way(platform, user)
    killed = platform.processes(name)
    assert killed
    for process in killed:
        process.send_signal(signal.SIGKILL)

    def ended() -> str | None:
        answer = user.http.get(f"/scrape/{run_id}/")
        assert answer.status_code in (200, 503), answer.text
        state = answer.json().get("state") if answer.status_code == 200 else None
        return state if state not in (None, *OPEN_STATES) else None

    # Its page never comes to an end, in whatever run.
    assert wait_for("the end of the request", ended, seconds=280) == "failed"
    platform.wait_until_healthy()
    status = user.fetch(make_idno(3202))
    assert status["state"] == "succeeded", status


def test_a_restarted_valkey_still_knows_who_is_signed_in(platform: Platform, user: PlatformUser) -> None:
    # Valkey writes sign-ins to its disk within a second.
    [valkey] = platform.processes("valkey-server")
    valkey.terminate()
    valkey.wait(timeout=20)
    platform.wait_until_healthy()

    assert user.http.get("/auth/me/").json()["username"] == user.username
