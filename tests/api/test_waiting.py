"""Waiting for a request or a batch: with `wait`, and with a stream of events."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser

SLOW = CASES[CaseName.SLOW].idno
WAITING = CASES[CaseName.NEVER_RENDERS].idno


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield the data of each `status` event as it arrives."""
    assert answer.status_code == httpx.codes.OK, answer.read()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    event = None
    for line in answer.iter_lines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            assert event == "status"
            yield json.loads(line.removeprefix("data: "))


def request_and_wait(user: PlatformUser, idno: str, *, wait: float) -> httpx.Response:
    return user.http.post("/scrape/", params={"wait": wait}, json={"idno": idno, "force_refresh": True})


def test_waiting_request_is_answered_with_the_record(user: PlatformUser) -> None:
    idno = make_idno(30_200)
    answer = request_and_wait(user, idno, wait=60)
    assert answer.status_code == httpx.codes.OK
    body = answer.json()
    assert (body["cached"], body["data"]["idno"]) == (False, idno)
    assert user.http.get(body["status_url"]).json()["data"] == body["data"]


def test_request_with_a_short_wait_gets_a_run_to_wait_for(user: PlatformUser) -> None:
    begun = time.monotonic()
    answer = request_and_wait(user, SLOW, wait=0.5)
    assert answer.status_code == httpx.codes.ACCEPTED
    body = answer.json()
    assert (body["data"], answer.headers["Location"]) == (None, body["status_url"])
    status = user.http.get(body["status_url"], params={"wait": 0.2}).json()
    assert status["state"] in OPEN_STATES
    assert time.monotonic() - begun < 10
    status = user.http.get(body["status_url"], params={"wait": 60}).json()
    assert (status["state"], status["data"]["idno"]) == ("succeeded", SLOW)


def test_waiting_request_reports_another_final_state(user: PlatformUser) -> None:
    answer = request_and_wait(user, CASES[CaseName.NOT_FOUND].idno, wait=60)
    assert answer.status_code == httpx.codes.ACCEPTED
    assert "not_found" in answer.json()["message"]


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
def test_invalid_wait_is_refused(user: PlatformUser, wait: str) -> None:
    for answer in (
        user.http.post("/scrape/", params={"wait": wait}, json={"idno": SLOW}),
        user.http.get("/scrape/x/", params={"wait": wait}),
    ):
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert answer.json()["errors"][0]["field"] == "wait"


def test_event_stream_is_not_buffered_and_ends_with_the_run(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(SLOW).json()["run_id"]
    seen: list[dict[str, Any]] = []
    with user.http.stream("GET", f"/scrape/{run_id}/events") as stream:
        for status in events(stream):
            if not seen:
                # The gateway does not buffer the stream until the run has ended.
                assert user.http.get(f"/scrape/{run_id}/").json()["state"] in OPEN_STATES
            seen.append(status)
    assert seen[0]["state"] in OPEN_STATES
    assert [status["state"] for status in seen[-2:]] == ["running", "succeeded"]
    assert seen[-1] == user.http.get(f"/scrape/{run_id}/").json()
    with user.http.stream("GET", f"/scrape/{run_id}/events/") as stream:
        assert list(events(stream)) == seen[-1:]


def test_other_users_cannot_follow_wait_for_or_cancel_a_run(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(make_idno(30_201)).json()["run_id"]
    with platform.signed_in() as stranger:
        for method, path in (("GET", "events"), ("GET", "?wait=5"), ("DELETE", "")):
            answer = stranger.http.request(method, f"/scrape/{run_id}/{path}")
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert user.wait(run_id)["state"] == "succeeded"


def test_batch_stream_reports_each_changed_company(user: PlatformUser) -> None:
    idnos = [make_idno(30_210 + number) for number in range(5)]
    batch = user.http.post("/scrape/batch/", json={"idnos": idnos, "force_refresh": True}).json()
    shown: dict[str, str] = {}
    with user.http.stream("GET", f"{batch['status_url']}events") as stream:
        for number, status in enumerate(events(stream)):
            changed = {company["idno"]: company["state"] for company in status["companies"]}
            assert number > 0 or set(changed) == set(idnos)
            shown |= changed
    assert shown == dict.fromkeys(idnos, "succeeded")
    assert (status["state"], status["counts"]) == ("finished", {"succeeded": 5})
    status = user.http.get(batch["status_url"], params={"wait": 5}).json()
    assert (status["state"], len(status["companies"])) == ("finished", 5)


def test_waiting_clients_hold_no_database_connections(user: PlatformUser) -> None:
    # Six times the number of connections to PostgreSQL.
    run_id = user.ask(WAITING).json()["run_id"]
    with ThreadPoolExecutor(60) as pool:
        path = f"/scrape/{run_id}/"
        waiting = [pool.submit(user.http.get, path, params={"wait": 20}) for _ in range(60)]
        time.sleep(0.5)  # all clients must be waiting
        assert user.http.get(f"/companies/{make_idno(9000)}/").status_code == httpx.codes.NOT_FOUND
        assert not any(future.done() for future in waiting)
        user.http.delete(path)
        assert {future.result().json()["state"] for future in waiting} == {"cancelled"}


def test_streams_and_waits_end_when_the_api_stops(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(WAITING).json()["run_id"]
    headers = {"Authorization": user.http.headers["Authorization"]}
    with ThreadPoolExecutor(1) as pool, httpx.Client(headers=headers, trust_env=False, timeout=60) as http:
        with platform.another_api() as api:
            url = f"{str(api.base_url).rstrip('/')}/scrape/{run_id}/"
            waiting = pool.submit(http.get, url, params={"wait": 60})
            following = http.stream("GET", f"{url}events")
            seen = events(following.__enter__())
            assert next(seen)["state"] in OPEN_STATES
            time.sleep(0.5)  # the other client must be waiting too
            begun = time.monotonic()
        # The process has ended. uvicorn alone would wait 5 s for the answers and then cut them off.
        assert time.monotonic() - begun < 4
        assert {status["state"] for status in seen} <= set(OPEN_STATES)
        assert waiting.result().json()["state"] in OPEN_STATES
        following.__exit__(None, None, None)
    user.http.delete(f"/scrape/{run_id}/")
