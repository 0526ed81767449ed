"""Waiting with `wait`: for how long, for whom, and at what cost."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from standin.site_facts import make_idno
from tests.api.served_api import ServedApi
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for
from warehouse.contract import Outcome

IDNO = make_idno(30_220)


def wait_until_all_wait(served: ServedApi, count: int) -> None:
    """Wait until this number of requests waits for a run."""
    wakeups = served.harness.services.wakeups
    wait_for("all clients to wait", lambda: len(wakeups._subscriptions) == count)


def finish(served: ServedApi, run_id: str, outcome: Outcome = Outcome.OK) -> None:
    """Let the run of a company end."""
    served.harness.finish_company(run_id, IDNO, outcome)
    served.portal.call(served.harness.run_reconciler)


def test_request_with_a_short_wait_gets_a_run_to_wait_for(served: ServedApi, user: PlatformUser) -> None:
    # The run does not end, so only the short wait can end these requests.
    body = {"idno": IDNO, "force_refresh": True}
    answer = user.http.post("/scrape/", params={"wait": 0.5}, json=body)
    assert answer.status_code == httpx.codes.ACCEPTED
    body = answer.json()
    assert (body["data"], answer.headers["Location"]) == (None, body["status_url"])
    status = user.http.get(body["status_url"], params={"wait": 0.2}).json()
    assert status["state"] in OPEN_STATES

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(user.http.get, body["status_url"], params={"wait": 60})
        wait_until_all_wait(served, 1)
        finish(served, body["run_id"])
        status = waiting.result().json()
    assert (status["state"], status["data"]["idno"]) == ("succeeded", IDNO)


def test_waiting_request_reports_another_final_state(served: ServedApi, user: PlatformUser) -> None:
    body = {"idno": IDNO, "force_refresh": True}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(user.http.post, "/scrape/", params={"wait": 60}, json=body)
        wait_until_all_wait(served, 1)
        finish(served, served.harness.dagster.runs[-1].run_id, Outcome.NOT_FOUND)
        answer = waiting.result()
    assert answer.status_code == httpx.codes.ACCEPTED
    assert "not_found" in answer.json()["message"]


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
def test_invalid_wait_is_refused(user: PlatformUser, wait: str) -> None:
    for answer in (
        user.http.post("/scrape/", params={"wait": wait}, json={"idno": IDNO}),
        user.http.get("/scrape/x/", params={"wait": wait}),
    ):
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert answer.json()["errors"][0]["field"] == "wait"


def test_other_users_cannot_follow_wait_for_or_cancel_a_run(served: ServedApi, user: PlatformUser) -> None:
    run_id = user.ask(IDNO).json()["run_id"]
    with served.signed_in() as stranger:
        for method, path in (("GET", "events"), ("GET", "?wait=5"), ("DELETE", "")):
            answer = stranger.http.request(method, f"/scrape/{run_id}/{path}")
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert answer.headers["Content-Type"] == "application/problem+json"
    finish(served, run_id)
    assert user.http.get(f"/scrape/{run_id}/").json()["state"] == "succeeded"


def test_waiting_clients_hold_no_database_connections(served: ServedApi, user: PlatformUser) -> None:
    # Six times the number of connections to PostgreSQL.
    run_id = user.ask(IDNO).json()["run_id"]
    with ThreadPoolExecutor(60) as pool:
        path = f"/scrape/{run_id}/"
        waiting = [pool.submit(user.http.get, path, params={"wait": 60}) for _ in range(60)]
        wait_until_all_wait(served, 60)
        assert user.http.get(f"/companies/{make_idno(9000)}/").status_code == httpx.codes.NOT_FOUND
        assert not any(future.done() for future in waiting)
        user.http.delete(path)
        assert {future.result().json()["state"] for future in waiting} == {"cancelled"}
