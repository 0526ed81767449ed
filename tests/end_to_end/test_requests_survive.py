"""Requests outlive whatever dies under them: each ends right, and nothing runs twice that need not."""

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
from tests.platform_harness import OPEN_STATES, Platform, PlatformUser, asked, under_way, wait_for

SLOW = CASES[CaseName.SLOW].idno
WAITING = CASES[CaseName.NEVER_RENDERS].idno


def kill(platform: Platform, name: str) -> None:
    killed = platform.processes(name)
    assert killed, name
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def ended(user: PlatformUser, path: str, is_open: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a status once it is over, through whatever outage."""

    def look() -> dict[str, Any] | None:
        with suppress(httpx.HTTPError):
            answer = user.http.get(path)
            assert answer.status_code in (200, 503), answer.text
            body: dict[str, Any] = answer.json()
            return None if answer.status_code == 503 or is_open(body) else body
        return None

    return wait_for(f"the end of {path}", look, seconds=240)


def ended_run(user: PlatformUser, run_id: str) -> dict[str, Any]:
    return ended(user, f"/scrape/{run_id}/", lambda status: status["state"] in OPEN_STATES)


def ended_batch(user: PlatformUser, url: str) -> dict[str, Any]:
    return ended(user, url, lambda status: status["state"] == "running")


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
def test_a_part_that_dies_beside_the_run_costs_no_second_visit(
    platform: Platform, user: PlatformUser, name: str
) -> None:
    run_id, visits = under_way(platform, user, SLOW)
    kill(platform, name)

    assert ended_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(SLOW) == visits + 1
    platform.wait_until_healthy()


def test_a_run_that_is_killed_is_launched_again_and_the_request_ends_right(
    platform: Platform, user: PlatformUser
) -> None:
    run_id, visits = under_way(platform, user, SLOW)
    platform.worker(run_id).kill()

    status = ended_run(user, run_id)
    assert (status["state"], status["data"]["idno"]) == ("succeeded", SLOW)
    second = status["data"]["source"]["run_id"]
    assert second != run_id
    assert user.http.get(f"/scrape/{second}/").json()["data"] == status["data"]
    assert platform.site.visits(SLOW) == visits + 2


def test_a_lender_that_dies_with_its_browsers_costs_nobody_their_request(
    platform: Platform, user: PlatformUser
) -> None:
    platform.wait_until_only_kept_browsers_are_left()  # so that one of these is borrowed
    run_id, visits = under_way(platform, user, SLOW)
    kill(platform, "pipeline.extract.browser.browser_lender")

    assert ended_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(SLOW) == visits + 2
    platform.wait_until_only_kept_browsers_are_left()


def test_a_daemon_that_is_dead_when_asked_delays_the_request_and_does_not_lose_it(
    platform: Platform, user: PlatformUser
) -> None:
    idno = make_idno(31_300)
    kill(platform, "dagster._daemon")
    run_id = asked(user, idno)
    assert ended_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(idno) == 1


def test_an_api_that_dies_while_it_is_asked_leaves_a_request_that_ends_or_none(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_310 + number) for number in range(4)]

    def ask(idno: str) -> None:
        with suppress(httpx.HTTPError):
            user.http.post("/scrape/", json={"idno": idno})

    for idno in idnos:
        asking = Thread(target=ask, args=(idno,))
        asking.start()
        kill(platform, "api.main:create_app")
        asking.join()
        platform.wait_until_healthy()
    wait_for("the end of what was written down", lambda: platform.open_scrapes() == 0 or None, seconds=240)
    assert all(platform.site.visits(idno) <= 1 for idno in idnos)


def test_a_batch_whose_run_dies_ends_right_and_what_was_captured_is_not_visited_again(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_320 + number) for number in range(20)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()

    def some() -> dict[str, Any] | None:
        status: dict[str, Any] = user.http.get(batch["status_url"]).json()
        return status if status["counts"].get("succeeded", 0) >= 3 else None

    before = wait_for("the first companies of the batch", some, seconds=120)
    platform.worker(before["companies"][0]["run_id"]).kill()
    status = ended_batch(user, batch["status_url"])

    assert status["counts"] == {"succeeded": 20}
    done = [company["idno"] for company in before["companies"] if company["state"] == "succeeded"]
    assert {platform.site.visits(idno) for idno in done} == {1}
    assert {company["run_id"] for company in status["companies"]} > {
        company["run_id"] for company in before["companies"]
    }


def test_an_api_that_restarts_follows_its_batches_on(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_350 + number) for number in range(8)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    kill(platform, "api.main:create_app")
    platform.wait_until_healthy()
    again = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    assert again.json() == batch.json()
    assert ended_batch(user, batch.json()["status_url"])["counts"] == {"succeeded": 8}
    assert {platform.site.visits(idno) for idno in idnos} == {1}


def test_a_person_is_served_long_before_the_batch_that_asked_first(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_400 + number) for number in range(60)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()
    wait_for("the batch under way", lambda: any(platform.site.visits(idno) for idno in idnos) or None)
    with platform.signed_in() as person:
        answer = person.http.post("/scrape/", params={"wait": 60}, json={"idno": idnos[-1]})
        assert answer.status_code == httpx.codes.OK, answer.text
    assert user.http.get(batch["status_url"]).json()["state"] == "running"
    status = ended_batch(user, batch["status_url"])
    assert status["counts"] == {"succeeded": 60}
    assert {platform.site.visits(idno) for idno in idnos} == {1}


def test_a_cancelled_batch_ends_its_run_and_visits_no_more(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_500 + number) for number in range(60)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()

    def runs() -> set[str]:
        status = user.http.get(batch["status_url"]).json()
        return {company["run_id"] for company in status["companies"] if company["run_id"]}

    wait_for("the batch under way", lambda: any(platform.site.visits(idno) for idno in idnos) or None)
    [run_id] = runs()
    assert user.http.delete(batch["status_url"]).status_code == httpx.codes.NO_CONTENT
    status = user.http.get(batch["status_url"]).json()
    assert status["state"] == "cancelled"
    assert status["counts"]["cancelled"] > 0
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    visited = sum(platform.site.visits(idno) for idno in idnos)
    assert visited < len(idnos)
    wait_for("quiet", lambda: platform.open_scrapes() == 0 or None)
    assert sum(platform.site.visits(idno) for idno in idnos) == visited


def test_a_withdrawn_request_ends_its_run(platform: Platform, user: PlatformUser) -> None:
    run_id, _ = under_way(platform, user, WAITING)
    assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
    assert user.http.get(f"/scrape/{run_id}/").json()["state"] == "cancelled"
    assert platform.finished_run(run_id)["status"] == "CANCELED"
    wait_for("quiet", lambda: platform.open_scrapes() == 0 or None)
    assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
