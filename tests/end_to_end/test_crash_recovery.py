"""Every accepted request reaches its right final state although processes die, without unnecessary visits."""

import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import text

from standin.site_facts import make_idno
from tests.end_to_end.blocked_visits import blocked, visit_under_way
from tests.long_version import LONG
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles

TABS = 4
"""The number of visits that a run makes at the same time (REGISTRU_TABS)."""


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

    return wait_for(f"the end of {path}", final_status, seconds=240, pause_seconds=0.3)


def wait_for_run(user: PlatformUser, run_id: str) -> dict[str, Any]:
    return wait_for_end(user, f"/scrape/{run_id}/", lambda status: status["state"] in OPEN_STATES)


def wait_for_batch_end(user: PlatformUser, url: str) -> dict[str, Any]:
    return wait_for_end(user, url, lambda status: status["state"] == "running")


def expire_claims(platform: Platform) -> None:
    """Let the claims on launches expire now, which otherwise takes 90 s, for requests whose API process has died."""
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
        connection.execute(text("UPDATE launches SET claimed_until = now() WHERE run_id IS NULL"))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("api.main:create_app", 31_300),
        ("dagster._daemon", 31_301),
        ("api grpc", 31_302),
        ("pipeline.dagster_host.run_server", 31_303),
    ],
)
def test_killed_process_outside_the_run_causes_no_second_visit(
    platform: Platform, user: PlatformUser, name: str, number: int
) -> None:
    idno = make_idno(number)
    with visit_under_way(platform, user, idno) as (run_id, visits):
        kill(platform, name)

    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(idno) == visits + 1
    platform.wait_until_healthy()
    assert user.wait(user.request_run(make_idno(31_304)))["state"] == "succeeded"


def test_request_completes_after_its_run_is_killed(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(31_305)
    with visit_under_way(platform, user, idno) as (run_id, visits):
        platform.worker(run_id).kill()

    status = wait_for_run(user, run_id)
    assert (status["state"], status["data"]["idno"]) == ("succeeded", idno)
    second = status["data"]["source"]["run_id"]
    assert second != run_id
    assert user.http.get(f"/scrape/{second}/").json()["data"] == status["data"]
    assert platform.site.visits(idno) == visits + 2


def test_request_completes_after_the_browser_lender_is_killed(platform: Platform, user: PlatformUser) -> None:
    platform.wait_until_only_warm_browsers_remain()  # so that the run borrows a warm browser
    idno = make_idno(31_306)
    with visit_under_way(platform, user, idno) as (run_id, visits):
        kill(platform, "pipeline.extract.browser.browser_lender")

    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(idno) == visits + 2
    platform.wait_until_only_warm_browsers_remain()


def test_request_completes_although_the_daemon_was_dead(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(31_307)
    visits = platform.site.visits(idno)
    kill(platform, "dagster._daemon")
    run_id = user.request_run(idno)
    assert wait_for_run(user, run_id)["state"] == "succeeded"
    assert platform.site.visits(idno) == visits + 1


def test_request_during_the_death_of_the_api_completes_or_is_not_kept(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_310 + number) for number in range(4 if LONG else 2)]

    def ask(idno: str) -> None:
        with suppress(httpx.HTTPError):
            user.http.post("/scrape/", json={"idno": idno})

    for idno in idnos:
        thread = Thread(target=ask, args=(idno,))
        thread.start()
        kill(platform, "api.main:create_app")
        thread.join()
        expire_claims(platform)
        platform.wait_until_healthy()
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0, seconds=240)
    assert all(platform.site.visits(idno) <= 1 for idno in idnos)


def test_batch_completes_after_its_run_is_killed_without_new_visits(
    platform: Platform, user: PlatformUser
) -> None:
    idnos = [make_idno(31_320 + number) for number in range(8)]

    def partial_status() -> dict[str, Any] | None:
        status: dict[str, Any] = user.http.get(batch["status_url"]).json()
        return status if status["counts"].get("succeeded", 0) >= 3 else None

    with blocked(platform.site, *idnos[3:]):
        batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()
        before = wait_for("the first companies of the batch", partial_status, seconds=120)
        platform.worker(before["companies"][0]["run_id"]).kill()
    status = wait_for_batch_end(user, batch["status_url"])

    assert status["counts"] == {"succeeded": len(idnos)}
    done = [company["idno"] for company in before["companies"] if company["state"] == "succeeded"]
    assert {platform.site.visits(idno) for idno in done} == {1}
    assert {company["run_id"] for company in status["companies"]} > {
        company["run_id"] for company in before["companies"]
    }


def test_restarted_api_completes_its_batches(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_350 + number) for number in range(TABS)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    kill(platform, "api.main:create_app")
    expire_claims(platform)
    platform.wait_until_healthy()
    again = user.http.post("/scrape/batch/", json={"idnos": idnos}, headers={"Idempotency-Key": "k"})
    assert again.json() == batch.json()
    assert wait_for_batch_end(user, batch.json()["status_url"])["counts"] == {"succeeded": len(idnos)}
    assert {platform.site.visits(idno) for idno in idnos} == {1}


def wait_for_visits(platform: Platform, idnos: list[str]) -> None:
    """Wait until as many companies are visited as a run visits at the same time."""
    wait_for("the first visits of the batch", lambda: sum(map(platform.site.visits, idnos)) >= TABS)


def test_single_request_overtakes_an_earlier_batch(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_400 + number) for number in range(2 * TABS)]
    with blocked(platform.site, *idnos[:-1]):
        batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()
        wait_for_visits(platform, idnos)
        with platform.signed_in() as person:
            answer = person.http.post("/scrape/", params={"wait": 60}, json={"idno": idnos[-1]})
            assert answer.status_code == httpx.codes.OK, answer.text
        before = user.http.get(batch["status_url"]).json()
        assert before["state"] == "running"
        assert answer.json()["data"]["source"]["run_id"] != before["companies"][0]["run_id"]
    status = wait_for_batch_end(user, batch["status_url"])
    assert status["counts"] == {"succeeded": len(idnos)}
    assert platform.site.visits(idnos[-1]) == 1


def test_cancelled_batch_terminates_its_run_and_stops_visits(platform: Platform, user: PlatformUser) -> None:
    idnos = [make_idno(31_500 + number) for number in range(2 * TABS)]

    def runs() -> set[str]:
        status = user.http.get(batch["status_url"]).json()
        return {company["run_id"] for company in status["companies"] if company["run_id"]}

    with blocked(platform.site, *idnos):
        batch = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()
        wait_for_visits(platform, idnos)
        [run_id] = runs()
        assert user.http.delete(batch["status_url"]).status_code == httpx.codes.NO_CONTENT
        status = user.http.get(batch["status_url"]).json()
        assert status["state"] == "cancelled"
        assert status["counts"]["cancelled"] > 0
        assert platform.finished_run(run_id)["status"] == "CANCELED"
        visited = {idno for idno in idnos if platform.site.visits(idno)}
        assert len(visited) == TABS
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0)
    assert {idno for idno in idnos if platform.site.visits(idno)} == visited


def test_cancelled_request_terminates_its_run(platform: Platform, user: PlatformUser) -> None:
    with visit_under_way(platform, user, make_idno(31_600)) as (run_id, _):
        assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
        assert user.http.get(f"/scrape/{run_id}/").json()["state"] == "cancelled"
        assert platform.finished_run(run_id)["status"] == "CANCELED"
    wait_for("the end of all scrapes", lambda: platform.open_scrapes() == 0)
    assert user.http.delete(f"/scrape/{run_id}/").status_code == httpx.codes.NO_CONTENT
