"""Tests of the API with several workers, as in production: they share state, and none is orphaned."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from api.auth.callers import Caller
from api.auth.roles import SCOPES, Role
from api.runtime.wakeups import SCRAPES_CHANNEL
from api.settings import ApiSettings
from stack.home import PROJECT
from stack.ports import free_ports
from stack.processes import uvicorn
from standin.site_facts import make_idno
from tests.api.served_api import ServedApi
from tests.local_http import local_client
from tests.polling import wait_for


@dataclass
class Workers:
    """The server's main process, and an HTTP client for each of its workers."""

    process: "subprocess.Popen[bytes]"
    pids: list[int]
    clients: list[httpx.Client]


@contextmanager
def running_workers(settings: ApiSettings) -> Iterator[Workers]:
    """Run the API with two workers on the stores of these settings."""
    [port] = free_ports(1)
    environment = {
        "REGISTRU_USERS_URL": settings.users_url,
        "REGISTRU_WAREHOUSE_URL": settings.warehouse_url,
        "REGISTRU_REDIS_STATE_URL": settings.redis_state_url,
        "REGISTRU_REDIS_CACHE_URL": settings.redis_cache_url,
        "REGISTRU_JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "REGISTRU_DAGSTER_URL": settings.dagster_url,
        "REGISTRU_DAGSTER_KEY": settings.dagster_key.get_secret_value(),
        "REGISTRU_BCRYPT_COST": "10",
        "REGISTRU_LIMIT_CALLER": "6/hour",
    }
    command = [sys.executable, *uvicorn("api.main:create_app", port=port, workers="2")]
    with ExitStack() as stack:
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environment})
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        reached: dict[int, httpx.Client] = {}

        def reach_another() -> dict[int, httpx.Client] | None:
            http = stack.enter_context(local_client(f"http://127.0.0.1:{port}"))
            try:
                http.get("/auth/me/")
            except httpx.HTTPError:
                return None
            if (pid := _serving_worker(process.pid, http)) is not None:
                reached.setdefault(pid, http)
            return reached if len(reached) == 2 else None

        wait_for("two workers", reach_another)
        yield Workers(process, list(reached), list(reached.values()))


def _serving_worker(parent: int, http: httpx.Client) -> int | None:
    """Return the process id of the worker that serves a client's connection."""
    stream = http.get("/auth/me/").extensions["network_stream"]
    own = stream.get_extra_info("client_addr")[1]
    for worker in psutil.Process(parent).children(recursive=True):
        if any(each.raddr and each.raddr.port == own for each in worker.net_connections("tcp")):
            return worker.pid
    return None


def sign_in(http: httpx.Client) -> str:
    """Create an account, sign in, and return the Authorization header."""
    account = {"username": f"user-{uuid4().hex[:12]}", "password": uuid4().hex}
    assert http.post("/auth/register/", json=account).is_success
    return f"Bearer {http.post('/auth/login/', json=account).json()['access_token']}"


@pytest.fixture(scope="module")
def workers(served: ServedApi) -> Iterator[Workers]:
    """An API with two workers, which end together when their parent is stopped."""
    with running_workers(served.settings) as workers:
        yield workers
        workers.process.terminate()
        assert workers.process.wait(60) in (0, -signal.SIGTERM)
        assert not [pid for pid in workers.pids if psutil.pid_exists(pid)]


def test_workers_share_sessions_and_limits(workers: Workers) -> None:
    first, second = workers.clients
    headers = {"Authorization": sign_in(first)}
    answers = [http.get("/auth/me/", headers=headers) for http in (second, first, second, first)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["5", "4", "3", "2"]
    assert first.post("/auth/logout/", headers=headers).is_success
    assert second.get("/auth/me/", headers=headers).status_code == 401


def test_requests_that_wait_at_either_worker_are_woken(served: ServedApi, workers: Workers) -> None:
    idno, harness = make_idno(8820), served.harness
    headers = {"Authorization": sign_in(workers.clients[0])}
    me = workers.clients[0].get("/auth/me/", headers=headers).json()
    caller = Caller(UUID(me["id"]), me["username"], Role.STANDARD, SCOPES[Role.STANDARD])
    run_id = served.portal.call(harness.request_company, caller, idno)

    def listeners() -> int:
        return int(served.portal.call(harness.services.state.pubsub_numsub, SCRAPES_CHANNEL)[0][1])

    def wait(http: httpx.Client) -> str:
        answer = http.get(f"/scrape/{run_id}/", params={"wait": 50}, headers=headers)
        return str(answer.json()["state"])

    wait_for("the workers to listen, as the API of this process does", lambda: listeners() == 3)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(wait, http) for http in workers.clients]
        harness.finish_company(run_id, idno)
        served.portal.call(harness.run_reconciler)
        assert [each.result(60) for each in waiting] == ["succeeded"] * 2


def test_workers_stop_when_their_parent_process_is_killed(served: ServedApi) -> None:
    with running_workers(served.settings) as workers:
        workers.process.kill()
        wait_for("the workers' end", lambda: not any(psutil.pid_exists(pid) for pid in workers.pids))
