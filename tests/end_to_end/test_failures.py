"""Parts of the platform fail during a request: it ends in a clear state, and nothing is lost."""

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

# Its data never arrives, so the visit lasts until its timeout.
NEVER_RENDERING = CASES[CaseName.NEVER_RENDERS].idno


def _start_long_visit(platform: Platform, user: PlatformUser) -> str:
    """Request a company whose page never finishes; wait until its visit has begun and return the run's id."""
    visits = platform.site.visits(NEVER_RENDERING)
    run_id: str = user.ask(NEVER_RENDERING).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(NEVER_RENDERING) > visits)
    return run_id


def test_visit_in_a_killed_chrome_is_retried_and_leaves_no_process(
    platform: Platform, user: PlatformUser
) -> None:
    idno = CASES[CaseName.SLOW].idno
    visits = platform.site.visits(idno)
    run_id = user.ask(idno).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    for process in platform.processes("--user-data-dir="):
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
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


def test_browser_of_a_killed_run_ends_and_its_request_gets_another_run(
    platform: Platform, user: PlatformUser
) -> None:
    platform.wait_until_only_warm_browsers_remain()
    run_id = _start_long_visit(platform, user)
    drivers = platform.drivers()
    platform.worker(run_id).kill()

    wait_for("the end of its browser", lambda: len(drivers & platform.drivers()) == len(drivers) - 1)
    status = user.wait(run_id, seconds=200)
    assert status["state"] == "failed"
    assert status["companies"][0]["outcome"] == "timeout"
    assert platform.finished_run(run_id)["status"] == "FAILURE"
    assert platform.query(
        "SELECT 1 FROM run_results WHERE run_id <> :id AND idno = :i", id=run_id, i=NEVER_RENDERING
    )
    platform.wait_until_only_warm_browsers_remain()


def test_cancelled_run_ends_as_cancelled_and_ends_its_browser(platform: Platform, user: PlatformUser) -> None:
    run_id = _start_long_visit(platform, user)
    platform.terminate(run_id)

    assert user.wait(run_id)["state"] == "cancelled"
    platform.wait_until_only_warm_browsers_remain()


def test_captures_from_before_a_cancellation_are_kept(platform: Platform, user: PlatformUser) -> None:
    captured = make_idno(3203)
    answer = platform.launch({"ops": {"source_data": {"config": {"idnos": [captured, NEVER_RENDERING]}}}})
    run_id = answer["run"]["runId"]

    def is_stored() -> bool:
        return bool(
            platform.query(
                "SELECT 1 FROM source_data WHERE run_id = :id AND idno = :i", id=run_id, i=captured
            )
        )

    wait_for("the first capture", is_stored)
    platform.terminate(run_id)
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    platform.wait_until_only_warm_browsers_remain()


def test_killed_webserver_loses_and_repeats_no_run(platform: Platform, user: PlatformUser) -> None:
    idno = CASES[CaseName.SLOW].idno
    visits = platform.site.visits(idno)
    run_id = user.ask(idno).json()["run_id"]
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    killed = platform.processes("pipeline.dagster_host.webserver")
    assert len(killed) == 2  # including the read-only one
    for process in killed:
        process.kill()

    assert user.wait(run_id)["state"] == "succeeded"
    assert len(platform.query("SELECT 1 FROM source_data WHERE run_id = :id", id=run_id)) == 1
    assert platform.site.visits(idno) == visits + 1


def test_without_dagster_a_request_is_refused_and_leaves_no_open_scrape(
    platform: Platform, user: PlatformUser
) -> None:
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0)
    [webserver] = [
        process
        for process in platform.processes("pipeline.dagster_host.webserver")
        if "--read-only" not in process.cmdline()
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
def test_request_completes_after_a_process_is_killed(
    platform: Platform, user: PlatformUser, name: str
) -> None:
    run_id = _start_long_visit(platform, user)
    killed = platform.processes(name)
    assert killed
    for process in killed:
        process.send_signal(signal.SIGKILL)

    def final_state() -> str | None:
        answer = user.http.get(f"/scrape/{run_id}/")
        assert answer.status_code in (200, 503), answer.text
        state = answer.json().get("state") if answer.status_code == 200 else None
        return state if state not in (None, *OPEN_STATES) else None

    # Its page never finishes, in any run.
    assert wait_for("the end of the request", final_state, seconds=280) == "failed"
    platform.wait_until_healthy()
    status = user.fetch(make_idno(3202))
    assert status["state"] == "succeeded", status


def test_sessions_survive_a_restart_of_valkey(platform: Platform, user: PlatformUser) -> None:
    # Valkey saves sessions to disk within a second.
    [valkey] = platform.processes("valkey-server")
    valkey.terminate()
    valkey.wait(timeout=20)
    platform.wait_until_healthy()

    assert user.http.get("/auth/me/").json()["username"] == user.username
