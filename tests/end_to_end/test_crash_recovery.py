"""Every accepted request reaches its right final state although processes die, without unnecessary visits."""

import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest

from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform, start_visit
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for

SLOW = CASES[CaseName.SLOW].idno
WAITING = CASES[CaseName.NEVER_RENDERS].idno


def kill(platform: Platform, name: str) -> None:
    """Kill the platform's processes whose command line contains `name`."""
    processes = platform.processes(name)
    assert processes, name
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def wait_for_end(user: PlatformUser, path: str, is_open: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a status is final and return it; outages of the API and its stores are tolerated."""

    def final_status() -> dict[str, Any] | None:
        with suppress(httpx.HTTPError):
            answer = user.http.get(path)
            assert answer.status_code in (200, 503), answer.text
            body: dict[str, Any] = answer.json()
            return None if answer.status_code == 503 or is_open(body) else body
        return None

    return wait_for(f"the end of {path}", final_status, seconds=240)


def wait_for_run(user: PlatformUser, run_id: str) -> dict[str, Any]:
    return wait_for_end(user, f"/scrape/{run_id}/", lambda status: status["state"] in OPEN_STATES)


def wait_for_batch_end(user: PlatformUser, url: str) -> dict[str, Any]:
    return wait_for_end(user, url, lambda status: status["state"] == "running")


@pytest.mark.parametrize(
    "name",
    [
        "api.main:create_app",
        "pipeline.dagster_host.webserver",
        "dagster._daemon",
        "api grpc",
        "pipeline.dagster_host.run_server",
    ],
)
def test_killed_process_outside_the_run_causes_no_second_visit(
    platform: Platform, user: PlatformUser, name: str
) -> None:
    run_id, visits = start_visit(platform, user, SLOW)
    kill(platform, name)

    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(SLOW) == visits + 1
    platform.wait_until_healthy()


def test_request_completes_after_its_run_is_killed(platform: Platform, user: PlatformUser) -> None:
    run_id, visits = start_visit(platform, user, SLOW)
    platform.worker(run_id).kill()

    status = wait_for_run(user, run_id)
    assert (status["state"], status["data"]["idno"]) == ("succeeded", SLOW)
    second = status["data"]["source"]["run_id"]
    assert second != run_id
    assert user.http.get(f"/scrape/{second}/").json()["data"] == status["data"]
    assert platform.site.visits(SLOW) == visits + 2


def test_request_completes_after_the_browser_lender_is_killed(platform: Platform, user: PlatformUser) -> None:
    platform.wait_until_only_warm_browsers_remain()  # so that the run borrows a warm browser
    run_id, visits = start_visit(platform, user, SLOW)
    kill(platform, "pipeline.extract.browser.browser_lender")

    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(SLOW) == visits + 2
    platform.wait_until_only_warm_browsers_remain()


def test_request_completes_although_the_daemon_was_dead(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(31_300)
    kill(platform, "dagster._daemon")
    run_id = user.request_run(idno)
    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(idno) == 1


def test_request_during_the_death_of_the_api_completes_or_is_not_kept(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_310 + number) for number in range(4)]

    def ask(idno: str) -> None:
        with suppress(httpx.HTTPError):
            user.http.post("/scrape/", json={"idno": idno})

    for idno in idnos:
        thread = Thread(target=ask, args=(idno,))
        thread.start()
        kill(platform, "api.main:create_app")
        thread.join()
        platform.wait_until_healthy()
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0 or None, seconds=240)
    assert all(platform.site.visits(idno) <= 1 for idno in idnos)


def test_batch_completes_after_its_run_is_killed_without_new_visits(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_320 + number) for number in range(20)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()

    def partial_status() -> dict[str, Any] | None:
        status: dict[str, Any] = user.http.get(batch["status_url"]).json()
        return status if status["counts"].get("succeeded", 0) >= 3 else None

    before = wait_for("the first companies of the batch", partial_status, seconds=120)
    platform.worker(before["companies"][0]["run_id"]).kill()
    status = wait_for_batch_end(user, batch["status_url"])

    assert status["counts"] == {"succeeded": 20}
    done = [company["idno"] for company in before["companies"] if company["state"] == "succeeded"]
    assert {platform.site.visits(idno) for idno in done} == {1}
    assert {company["run_id"] for company in status["companies"]} > {
        company["run_id"] for company in before["companies"]
    }


def test_restarted_api_completes_its_batches(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_350 + number) for number in range(8)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    kill(platform, "api.main:create_app")
    platform.wait_until_healthy()
    again = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    assert again.json() == batch.json()
    assert wait_for_batch_end(user, batch.json()["status_url"])["counts"] == {"succeeded": 8}
    assert {platform.site.visits(idno) for idno in idnos} == {1}


def test_single_request_overtakes_an_earlier_batch(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_400 + number) for number in range(60)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()
    wait_for(
        "the first visit of the batch", lambda: any(platform.site.visits(idno) for idno in idnos) or None
    )
    with platform.signed_in() as person:
        answer = person.http.post("/scrape/", params={"wait": 60}, json={"idno": idnos[-1]})
        assert answer.status_code == httpx.codes.OK, answer.text
    assert user.http.get(batch["status_url"]).json()["state"] == "running"
    status = wait_for_batch_end(user, batch["status_url"])
    assert status["counts"] == {"succeeded": 60}
    assert {platform.site.visits(idno) for idno in idnos} == {1}


def test_cancelled_batch_terminates_its_run_and_stops_visits(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_500 + number) for number in range(60)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()

    def runs() -> set[str]:
        status = user.http.get(batch["status_url"]).json()
        return {company["run_id"] for company in status["companies"] if company["run_id"]}

    wait_for(
        "the first visit of the batch", lambda: any(platform.site.visits(idno) for idno in idnos) or None
    )
    [run_id] = runs()
    assert user.http.delete(batch["status_url"]).status_code == httpx.codes.NO_CONTENT
    status = user.http.get(batch["status_url"]).json()
    assert status["state"] == "cancelled"
    assert status["counts"]["cancelled"] > 0
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    visited = sum(platform.site.visits(idno) for idno in idnos)
    assert visited < len(idnos)
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0 or None)
    assert sum(platform.site.visits(idno) for idno in idnos) == visited


def test_cancelled_request_terminates_its_run(platform: Platform, user: PlatformUser) -> None:
    run_id, _ = start_visit(platform, user, WAITING)
    assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
    assert user.http.get(f"/scrape/{run_id}/").json()["state"] == "cancelled"
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0 or None)
    assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
