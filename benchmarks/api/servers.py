"""Starts both servers under uvicorn as in production, with the same stores, users and records."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from redis import Redis

from api.migrations import SCRIPTS
from benchmarks.api.smallest import plain_key
from stack.home import PROJECT
from stack.ports import free_ports
from stack.processes import uvicorn
from standin.site_facts import make_idno
from tests.made_up_record import made_up_record
from tests.polling import wait_for
from tests.stores import running_valkey
from tests.warehouse_server import running_databases
from warehouse.records.models import CompanyRecord
from warehouse.records.record_cache import company_key, pack
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate

OURS, SMALLEST = "registru", "smallest endpoint"
_USERS = 8
_RECORDS = 500
_FIRST = 50_000


@dataclass(frozen=True)
class Servers:
    """The ports and processes of both servers, and the access tokens and companies that both servers accept."""

    ports: dict[str, int]
    pids: dict[str, int]
    tokens: list[str]
    idnos: list[str]
    kilobytes_a_record: float


@contextmanager
def running_servers(folder: Path, *, server_cores: set[int], other_cores: set[int]) -> Iterator[Servers]:
    """Run both servers on `server_cores` and the stores on `other_cores` until the block ends."""
    secret = uuid4().hex + uuid4().hex
    os.sched_setaffinity(0, other_cores)  # the processes of the stores inherit this
    with ExitStack() as stack:
        databases = stack.enter_context(running_databases(folder / "postgres", durable=True))
        migrate(scripts=SCRIPTS, url=databases.url(database_roles.USERS_OWNER, database_roles.USERS_DATABASE))
        redis = stack.enter_context(running_valkey(folder / "valkey"))
        at = redis.connection_pool.connection_kwargs
        url = f"redis://:{at['password']}@{at['host']}:{at['port']}"
        cache = stack.enter_context(Redis.from_url(f"{url}/1"))
        records = _records()
        for record in records:
            cache.set(company_key(record.idno), pack(record))
            cache.set(plain_key(record.idno), record.model_dump_json())
        environment = {
            "REGISTRU_USERS_URL": databases.url(database_roles.API, database_roles.USERS_DATABASE),
            "REGISTRU_WAREHOUSE_URL": databases.url(database_roles.API),
            "REGISTRU_REDIS_STATE_URL": f"{url}/0",
            "REGISTRU_REDIS_CACHE_URL": f"{url}/1",
            "REGISTRU_JWT_SECRET": secret,
            "REGISTRU_DAGSTER_URL": "http://127.0.0.1:1",
            "REGISTRU_DAGSTER_KEY": uuid4().hex,
            "REGISTRU_BCRYPT_COST": "10",
            # A limit that is never reached. The API still counts each request, as in production.
            "REGISTRU_LIMIT_ADDRESS": "100000000/minute",
            "REGISTRU_LIMIT_CALLER": "100000000/minute",
            "BENCHMARK_REDIS_URL": f"{url}/1",
            "BENCHMARK_SECRET": secret,
        }
        ours, smallest = free_ports(2)
        apps = {
            OURS: ("api.main:create_app", ours),
            SMALLEST: ("benchmarks.api.smallest:create_app", smallest),
        }
        pids = {
            name: stack.enter_context(_serving(app, port, environment, server_cores))
            for name, (app, port) in apps.items()
        }
        tokens = _sign_in(f"http://127.0.0.1:{ours}")
        size = sum(len(record.model_dump_json().encode()) for record in records) / len(records) / 1024
        yield Servers(
            {name: port for name, (_, port) in apps.items()},
            pids,
            tokens,
            [record.idno for record in records],
            round(size, 1),
        )


@contextmanager
def _serving(app: str, port: int, environment: dict[str, str], cores: set[int]) -> Iterator[int]:
    command = [sys.executable, *uvicorn(app, port=port)]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        os.sched_setaffinity(process.pid, cores)
        wait_for(app, lambda: _responds(port) or None)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _responds(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False, timeout=10).is_success
    except httpx.HTTPError:
        return False


def _sign_in(url: str) -> list[str]:
    """Register the users and return an access token of each."""
    tokens = []
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        for number in range(_USERS):
            account = {"username": f"user-{number}", "password": uuid4().hex}
            http.post("/auth/register/", json=account).raise_for_status()
            tokens.append(
                str(http.post("/auth/login/", json=account).raise_for_status().json()["access_token"])
            )
    return tokens


def _records() -> Sequence[CompanyRecord]:
    """Return fresh records of made-up companies, as the pipeline writes them."""
    now = datetime.now(UTC)
    return [made_up_record(make_idno(_FIRST + number), now) for number in range(_RECORDS)]
