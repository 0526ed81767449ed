"""Waiting for a request or a batch on the whole platform: with `wait`, and with a stream of events."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for

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


def in_flight(api: httpx.Client) -> float:
    """Return the number of requests that an API process is answering, without this one."""
    [line] = [
        line
        for line in api.get("/metrics").text.splitlines()
        if line.startswith("registru_http_requests_in_flight ")
    ]
    return float(line.split()[1]) - 1


def test_waiting_request_is_answered_with_the_record(user: PlatformUser) -> None:
    idno = make_idno(30_200)
    answer = user.http.post(
        "/scrape/", params={"wait": 60}, json={"idno": idno, "force_refresh": True}, timeout=90
    )
    assert answer.status_code == httpx.codes.OK
    body = answer.json()
    assert (body["cached"], body["data"]["idno"]) == (False, idno)
    assert user.http.get(body["status_url"]).json()["data"] == body["data"]


def test_event_stream_is_not_buffered_and_ends_with_the_run(user: PlatformUser) -> None:
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


def test_streams_and_waits_end_when_the_api_stops(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(WAITING).json()["run_id"]
    headers = {"Authorization": user.http.headers["Authorization"]}
    with ThreadPoolExecutor(1) as pool, httpx.Client(headers=headers, trust_env=False, timeout=90) as http:
        with platform.another_api() as api:
            url = f"{str(api.base_url).rstrip('/')}/scrape/{run_id}/"
            waiting = pool.submit(http.get, url, params={"wait": 60})
            following = http.stream("GET", f"{url}events")
            seen = events(following.__enter__())
            assert next(seen)["state"] in OPEN_STATES
            wait_for("both requests to be answered", lambda: in_flight(api) == 2)
        # The process has ended. uvicorn alone would have cut off both answers, which raises an error here.
        assert {status["state"] for status in seen} <= set(OPEN_STATES)
        assert waiting.result().json()["state"] in OPEN_STATES
        following.__exit__(None, None, None)
    user.http.delete(f"/scrape/{run_id}/")
