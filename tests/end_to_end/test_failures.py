"""Parts of the platform fail during a request: it ends in a clear state, and nothing is lost."""

import signal
from contextlib import suppress

import httpx
import psutil
import pytest

from standin.site_facts import make_idno
from tests.end_to_end.blocked_visits import blocked, visit_under_way
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for


def test_visit_in_a_killed_chrome_is_retried_and_leaves_no_process(
    platform: Platform, user: PlatformUser
) -> None:
    with visit_under_way(platform, user, make_idno(3200)) as (run_id, _):
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
    idno = make_idno(3204)
    with visit_under_way(platform, user, idno) as (run_id, _):
        drivers = platform.drivers()
        platform.worker(run_id).kill()
        wait_for("the end of its browser", lambda: len(drivers & platform.drivers()) == len(drivers) - 1)

    assert user.wait(run_id, seconds=200)["state"] == "succeeded"
    assert platform.finished_run(run_id)["status"] == "FAILURE"
    assert platform.query("SELECT 1 FROM run_results WHERE run_id <> :id AND idno = :i", id=run_id, i=idno)
    platform.wait_until_only_warm_browsers_remain()


def test_cancelled_run_ends_as_cancelled_and_ends_its_browser(platform: Platform, user: PlatformUser) -> None:
    with visit_under_way(platform, user, make_idno(3205)) as (run_id, _):
        platform.terminate(run_id)
        assert user.wait(run_id)["state"] == "cancelled"
    platform.wait_until_only_warm_browsers_remain()


def test_captures_from_before_a_cancellation_are_kept(platform: Platform, user: PlatformUser) -> None:
    captured, waiting = make_idno(3203), make_idno(3206)

    def is_stored() -> bool:
        return bool(
            platform.query(
                "SELECT 1 FROM source_data WHERE run_id = :id AND idno = :i", id=run_id, i=captured
            )
        )

    with blocked(platform.site, waiting):
        answer = platform.launch({"ops": {"source_data": {"config": {"idnos": [captured, waiting]}}}})
        run_id = answer["run"]["runId"]
        wait_for("the first capture", is_stored)
        platform.terminate(run_id)
        assert platform.finished_run(run_id)["status"] == "CANCELED"
    platform.wait_until_only_warm_browsers_remain()
    assert is_stored()


def test_killed_webserver_loses_and_repeats_no_run(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(3207)
    with visit_under_way(platform, user, idno) as (run_id, visits):
        killed = platform.processes("pipeline.dagster_host.webserver")
        assert len(killed) == 2  # including the read-only one
        for process in killed:
            process.kill()

    assert user.wait(run_id)["state"] == "succeeded"
    assert len(platform.query("SELECT 1 FROM source_data WHERE run_id = :id", id=run_id)) == 1
    assert platform.site.visits(idno) == visits + 1
    platform.wait_until_healthy()
    assert user.wait(user.request_run(make_idno(3202)))["state"] == "succeeded"


def test_without_dagster_a_request_is_refused_and_leaves_no_open_scrape(
    platform: Platform, user: PlatformUser
) -> None:
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0)
    [webserver] = [
        process
        for process in platform.processes("pipeline.dagster_host.webserver")
        if "--read-only" not in " ".join(process.cmdline())
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


@pytest.mark.parametrize(("name", "number"), [("valkey-server", 3208), ("postgres -D", 3209)])
def test_request_completes_after_a_store_is_killed(
    platform: Platform, user: PlatformUser, name: str, number: int
) -> None:
    with visit_under_way(platform, user, make_idno(number)) as (run_id, _):
        killed = platform.processes(name)
        assert killed
        for process in killed:
            process.send_signal(signal.SIGKILL)

    def final_state() -> str | None:
        answer = user.http.get(f"/scrape/{run_id}/")
        assert answer.status_code in (200, 503), answer.text
        state = answer.json().get("state") if answer.status_code == 200 else None
        return state if state not in (None, *OPEN_STATES) else None

    assert wait_for("the end of the request", final_state, seconds=240) == "succeeded"
    platform.wait_until_healthy()
    status = user.wait(user.request_run(make_idno(3202)))
    assert status["state"] == "succeeded", status


def test_sessions_survive_a_restart_of_valkey(platform: Platform, user: PlatformUser) -> None:
    # Valkey saves sessions to disk within a second.
    [valkey] = platform.processes("valkey-server")
    valkey.terminate()
    valkey.wait(timeout=20)
    platform.wait_until_healthy()

    assert user.http.get("/auth/me/").json()["username"] == user.username
