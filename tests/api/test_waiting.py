"""Waiting for what was asked for: by the request itself, and by a stream of events."""

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
    """Yield the data of each `status` event as it comes."""
    assert answer.status_code == httpx.codes.OK, answer.read()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    event = None
    for line in answer.iter_lines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            assert event == "status"
            yield json.loads(line.removeprefix("data: "))


def post(user: PlatformUser, idno: str, *, wait: float) -> httpx.Response:
    return user.http.post("/scrape/", params={"wait": wait}, json={"idno": idno, "force_refresh": True})


def test_who_waits_gets_the_record_in_the_same_answer(user: PlatformUser) -> None:
    idno = make_idno(30_200)
    answer = post(user, idno, wait=60)
    assert answer.status_code == httpx.codes.OK
    body = answer.json()
    assert (body["cached"], body["data"]["idno"]) == (False, idno)
    assert user.http.get(body["status_url"]).json()["data"] == body["data"]


def test_who_waits_too_short_gets_the_run_and_can_wait_on(user: PlatformUser) -> None:
    begun = time.monotonic()
    answer = post(user, SLOW, wait=0.5)
    assert answer.status_code == httpx.codes.ACCEPTED
    body = answer.json()
    assert (body["data"], answer.headers["Location"]) == (None, body["status_url"])
    status = user.http.get(body["status_url"], params={"wait": 0.2}).json()
    assert status["state"] in OPEN_STATES
    assert time.monotonic() - begun < 10
    status = user.http.get(body["status_url"], params={"wait": 60}).json()
    assert (status["state"], status["data"]["idno"]) == ("succeeded", SLOW)


def test_what_ends_otherwise_while_somebody_waits_is_said(user: PlatformUser) -> None:
    answer = post(user, CASES[CaseName.NOT_FOUND].idno, wait=60)
    assert answer.status_code == httpx.codes.ACCEPTED
    assert "not_found" in answer.json()["message"]


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
def test_a_wait_that_is_none_is_refused(user: PlatformUser, wait: str) -> None:
    for answer in (
        user.http.post("/scrape/", params={"wait": wait}, json={"idno": SLOW}),
        user.http.get("/scrape/x/", params={"wait": wait}),
    ):
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert answer.json()["errors"][0]["field"] == "wait"


def test_events_come_as_they_happen_through_the_gateway_too_and_end_with_the_end(
    platform: Platform, user: PlatformUser
) -> None:
    run_id = user.ask(SLOW).json()["run_id"]
    seen: list[dict[str, Any]] = []
    with user.http.stream("GET", f"/scrape/{run_id}/events") as stream:
        for status in events(stream):
            if not seen:
                # The gateway has not kept it back until the end.
                assert user.http.get(f"/scrape/{run_id}/").json()["state"] in OPEN_STATES
            seen.append(status)
    assert seen[0]["state"] in OPEN_STATES
    assert [status["state"] for status in seen[-2:]] == ["running", "succeeded"]
    assert seen[-1] == user.http.get(f"/scrape/{run_id}/").json()
    with user.http.stream("GET", f"/scrape/{run_id}/events/") as stream:
        assert list(events(stream)) == seen[-1:]


def test_nobody_follows_what_they_did_not_ask_for(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(make_idno(30_201)).json()["run_id"]
    with platform.signed_in() as stranger:
        for method, path in (("GET", "events"), ("GET", "?wait=5"), ("DELETE", "")):
            answer = stranger.http.request(method, f"/scrape/{run_id}/{path}")
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert user.wait(run_id)["state"] == "succeeded"


def test_a_batch_can_be_followed_company_by_company(user: PlatformUser) -> None:
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


def test_sixty_who_wait_take_no_connections_from_the_others(user: PlatformUser) -> None:
    # Six times as many as there are connections to PostgreSQL.
    run_id = user.ask(WAITING).json()["run_id"]
    with ThreadPoolExecutor(60) as pool:
        path = f"/scrape/{run_id}/"
        waiting = [pool.submit(user.http.get, path, params={"wait": 20}) for _ in range(60)]
        time.sleep(0.5)  # the waits are to be under way
        assert user.http.get(f"/companies/{make_idno(9000)}/").status_code == httpx.codes.NOT_FOUND
        assert not any(each.done() for each in waiting)
        user.http.delete(path)
        assert {each.result().json()["state"] for each in waiting} == {"cancelled"}


def test_streams_and_waits_end_at_once_when_the_api_stops(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(WAITING).json()["run_id"]
    headers = {"Authorization": user.http.headers["Authorization"]}
    with ThreadPoolExecutor(1) as pool, httpx.Client(headers=headers, trust_env=False, timeout=60) as http:
        with platform.another_api() as api:
            url = f"{str(api.base_url).rstrip('/')}/scrape/{run_id}/"
            waiting = pool.submit(http.get, url, params={"wait": 60})
            following = http.stream("GET", f"{url}events")
            seen = events(following.__enter__())
            assert next(seen)["state"] in OPEN_STATES
            time.sleep(0.5)  # the wait is to be under way too
            begun = time.monotonic()
        # The process has ended. uvicorn would have waited 5 s, and then cut them off.
        assert time.monotonic() - begun < 4
        assert {each["state"] for each in seen} <= set(OPEN_STATES)
        assert waiting.result().json()["state"] in OPEN_STATES
        following.__exit__(None, None, None)
    user.http.delete(f"/scrape/{run_id}/")
