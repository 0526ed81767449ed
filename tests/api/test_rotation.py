"""Tests of keys and passwords that change while the API runs, started as in production with secrets of AWS or files."""

import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from anyio import to_thread
from jose import jwt
from redis import Redis
from sqlalchemy import Connection, text

from api.auth import tokens
from api.auth.tokens import key_id
from api.main import create_app
from api.services import open_services
from api.settings import ApiSettings
from stack.home import PROJECT
from stack.ports import free_ports
from stack.processes import uvicorn
from stack.secrets import write_files
from tests.api.api_harness import ApiHarness, changed_settings
from tests.api.served_api import serve
from tests.aws import Aws, running_aws
from tests.local_http import local_client
from tests.polling import wait_for
from tests.warehouse_server import Databases
from warehouse.config import reloadable
from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.settings import load

pytestmark = pytest.mark.anyio

SECRET = "registru/api"


@pytest.fixture(scope="module")
def aws(starts_stores: None) -> Iterator[Aws]:
    """AWS Secrets Manager."""
    with running_aws() as running:
        yield running


def secret_values(settings: ApiSettings) -> dict[str, Any]:
    """Return the secret values of an API with the harness's stores."""
    return {
        "users_url": settings.users_url,
        "warehouse_url": settings.warehouse_url,
        "redis_state_url": settings.redis_state_url,
        "redis_cache_url": settings.redis_cache_url,
        "jwt_secret": settings.jwt_secret.get_secret_value(),
        "dagster_key": settings.dagster_key.get_secret_value(),
    }


def rotated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same values with a new signing key; the old key is retired in ten seconds."""
    retired_at = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    retired = [{"secret": values["jwt_secret"], "retired_at": retired_at}]
    return {**values, "jwt_secret": uuid4().hex + uuid4().hex, "jwt_retired_secrets": retired}


class RunningApi:
    """A running API, and a user of it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.http = process, local_client(url)
        self.account = {"username": f"user-{uuid4().hex[:12]}", "password": uuid4().hex}

    def sign_in(self) -> str:
        """Return an access token."""
        answer = self.http.post("/auth/login/", json=self.account)
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])

    def status_of(self, token: str) -> int:
        """Return the status that a request with a token gets."""
        return self.http.get("/auth/me/", headers={"Authorization": f"Bearer {token}"}).status_code

    def wait_for_token_signed_with(self, key: str) -> str:
        """Sign in until a token is signed with this key; return that token."""

        def token() -> str | None:
            made = self.sign_in()
            return made if jwt.get_unverified_header(made)["kid"] == key_id(key) else None

        return wait_for("a token signed with the new key", token)


def start_api(
    environment: Mapping[str, str], *, port: int, workers: str, options: Sequence[str] = ()
) -> "subprocess.Popen[str]":
    """Start the API with only these environment variables and with further options of uvicorn."""
    command = [sys.executable, *uvicorn("api.main:create_app", port=port, workers=workers), *options]
    variables = {"REGISTRU_DAGSTER_URL": "http://127.0.0.1:1", "REGISTRU_BCRYPT_COST": "10", **environment}
    return subprocess.Popen(command, cwd=PROJECT, env=variables, stderr=subprocess.PIPE, text=True)


@contextmanager
def serving(environment: Mapping[str, str], *, workers: str = "1") -> Iterator[RunningApi]:
    """Run the API, and register a user."""
    [port] = free_ports(1)
    process = start_api(
        # High limits, because the tests sign in many times.
        {
            "REGISTRU_LIMIT_GUESSES": "600/minute",
            "REGISTRU_LIMIT_GUESSES_ACCOUNT": "600/minute",
            **environment,
        },
        port=port,
        workers=workers,
    )
    served = RunningApi(process, f"http://127.0.0.1:{port}")
    try:

        def answers() -> bool:
            try:
                return served.http.get("/").is_success
            except httpx.HTTPError:
                assert process.poll() is None, process.communicate()
                return False

        wait_for("the API", answers)
        assert served.http.post("/auth/register/", json=served.account).is_success
        yield served
    finally:
        served.http.close()
        process.terminate()
        process.communicate(timeout=30)


async def test_api_with_aws_secrets_uses_a_new_key_after_sighup(harness: ApiHarness, aws: Aws) -> None:
    def run() -> None:
        old = secret_values(harness.services.settings)
        aws.put(SECRET, old)
        environment = {**aws.environment, "REGISTRU_AWS_SECRET_ID": SECRET, "REGISTRU_SECRETS_MINUTES": "0"}
        with serving(environment) as api:
            mine = api.sign_in()
            new = rotated(old)
            aws.put(SECRET, new)
            api.process.send_signal(signal.SIGHUP)
            token = api.wait_for_token_signed_with(new["jwt_secret"])
            assert [api.status_of(each) for each in (mine, token)] == [200, 200]

            aws.put(SECRET, {**new, "jwt_retired_secrets": []})
            api.process.send_signal(signal.SIGHUP)
            wait_for("the end of the old key", lambda: api.status_of(mine) == 401)

            aws.put(SECRET, {**new, "jwt_secret": "change-me" * 5})
            api.process.send_signal(signal.SIGHUP)
            assert api.process.stderr is not None
            refused = next(line for line in api.process.stderr if "the old ones stay in use" in line)
            assert "REGISTRU_JWT_SECRET is a placeholder" in refused
            assert api.status_of(token) == 200

    await to_thread.run_sync(run)


@asynccontextmanager
async def reading_secrets(
    harness: ApiHarness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[ApiHarness, ReloadableSettings[ApiSettings]]]:
    """Yield the API's services, opened with secrets from the files of a folder, and their settings."""
    monkeypatch.setenv("REGISTRU_SECRETS_DIR", str(folder))
    monkeypatch.setenv("REGISTRU_SECRETS_MINUTES", "0")
    monkeypatch.setenv("REGISTRU_DAGSTER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("REGISTRU_BCRYPT_COST", "10")
    current = ReloadableSettings(load(ApiSettings), partial(load, ApiSettings))
    async with open_services(current.settings, current) as services:
        yield replace(harness, services=services), current


def set_min_reload_seconds(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    for module in (reloadable, tokens):
        monkeypatch.setattr(module, "MIN_RELOAD_SECONDS", seconds)


async def test_token_signed_by_another_replica_with_a_newer_key_is_accepted(
    harness: ApiHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, secret_values(harness.services.settings))
    async with (
        reading_secrets(harness, tmp_path, monkeypatch) as (api, _),
        api.signed_in() as http,
    ):

        async def status_of(token: str) -> int:
            return (await http.get("/auth/me/", headers={"Authorization": f"Bearer {token}"})).status_code

        claims = jwt.get_unverified_claims(http.headers["Authorization"].split()[1])
        new = uuid4().hex + uuid4().hex
        write_files(tmp_path, {"jwt_secret": new})
        theirs = jwt.encode(claims, new, algorithm="HS256", headers={"kid": key_id(new)})
        # Settings that were loaded a moment ago are not reloaded, whatever tokens arrive.
        set_min_reload_seconds(monkeypatch, 3600)
        assert await status_of(theirs) == 401
        set_min_reload_seconds(monkeypatch, 0)
        assert await status_of(theirs) == 200
        forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": key_id("x" * 64)})
        assert await status_of(forged) == 401


async def test_workers_switch_to_a_new_key_without_refusing_a_request(
    harness: ApiHarness, tmp_path: Path
) -> None:
    def run() -> None:
        old = secret_values(harness.services.settings)
        write_files(tmp_path, {**old, "jwt_retired_secrets": "[]"})
        with serving({"REGISTRU_SECRETS_DIR": str(tmp_path)}, workers="2") as api:
            mine = api.sign_in()
            new = write_rotated_key(old, tmp_path)
            api.process.send_signal(signal.SIGHUP)
            in_a_row = 0

            def all_sign_with_it() -> bool:
                nonlocal in_a_row
                # A new connection each time, to reach both workers. A cut connection (a worker stops) is no refusal.
                with (
                    suppress(httpx.ReadError, httpx.RemoteProtocolError),
                    local_client(str(api.http.base_url)) as http,
                ):
                    token = http.post("/auth/login/", json=api.account).json()["access_token"]
                    for each in (mine, token):
                        me = http.get("/auth/me/", headers={"Authorization": f"Bearer {each}"})
                        assert me.status_code == 200, me.text
                    is_new = jwt.get_unverified_header(token)["kid"] == key_id(new)
                    in_a_row = in_a_row + 1 if is_new else 0
                return in_a_row >= 8

            wait_for("every worker to sign with the new key", all_sign_with_it, seconds=90)

    await to_thread.run_sync(run)


def write_rotated_key(old: Mapping[str, Any], folder: Path) -> str:
    """Write a new signing key like `registru rotate-key` does, the retired keys first; return the new key."""
    retired_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    new = uuid4().hex + uuid4().hex
    retired = f'[{{"secret": "{old["jwt_secret"]}", "retired_at": "{retired_at}"}}]'
    write_files(folder, {"jwt_retired_secrets": retired, "jwt_secret": new})
    return new


async def test_new_connections_use_new_passwords(
    harness: ApiHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = secret_values(harness.services.settings)
    write_files(tmp_path, old)
    state = Redis.from_url(old["redis_state_url"])
    with another_role(harness.databases) as (administrator, login):
        async with (
            reading_secrets(harness, tmp_path, monkeypatch) as (api, current),
            api.signed_in() as http,
        ):
            assert (await http.get("/auth/sessions/")).is_success
            password = uuid4().hex
            state.acl_setuser("default", enabled=True, passwords=[f"+{password}"])
            try:
                new = {
                    name: url.replace(url.split("//")[1].split("@")[0], login)
                    for name, url in of_sql(old).items()
                } | {
                    name: url.replace(url.split("//")[1].split("@")[0], f":{password}")
                    for name, url in of_redis(old).items()
                }
                write_files(tmp_path, new)
                assert current.reload()
                administrator.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api'")
                )
                assert (await http.get("/auth/sessions/")).is_success
                users = text("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'api%'")
                assert set(administrator.execute(users).scalars()) == {login.split(":")[0]}

                # The old Redis password is removed, and connections that used it are closed explicitly.
                state.acl_setuser("default", enabled=True, passwords=[f"-{old_password(old)}"])
                with Redis.from_url(new["redis_state_url"]) as renewed:
                    renewed.client_kill_filter(_type="normal")
                assert (await http.get("/auth/sessions/")).is_success
                assert await api.services.cache.ping()
            finally:
                with Redis.from_url(new["redis_state_url"]) as again:
                    passwords = [f"+{old_password(old)}", f"-{password}"]
                    again.acl_setuser("default", enabled=True, passwords=passwords)
                state.close()


def of_sql(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in ("users_url", "warehouse_url")}


def of_redis(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in ("redis_state_url", "redis_cache_url")}


def old_password(values: Mapping[str, str]) -> str:
    return values["redis_state_url"].split("//:")[1].split("@")[0]


@contextmanager
def another_role(databases: Databases) -> Iterator[tuple[Connection, str]]:
    """Yield a superuser's connection, and the login of a second role with the permissions of `api`."""
    password = uuid4().hex
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as administrator:
        administrator.execute(text(f"CREATE ROLE api_b LOGIN IN ROLE api PASSWORD '{password}'"))
        yield administrator, f"api_b:{password}"
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as administrator:
        administrator.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api_b'")
        )
        administrator.execute(text("DROP ROLE api_b"))


@pytest.mark.parametrize("wrong", ["users_url", "redis_state_url"])
async def test_refused_database_login_shows_no_password_in_answers_or_logs(
    harness: ApiHarness, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    right, password = secret_values(harness.services.settings)[wrong], uuid4().hex
    login = right.split("//")[1].split("@")[0]
    url = right.replace(login, f"{login.split(':')[0]}:{password}")
    app = create_app(changed_settings(harness.services.settings, **{wrong: url}))
    credentials = {"username": "ana", "password": uuid4().hex}
    with caplog.at_level(logging.INFO):
        async with serve(app, lifespan="on") as served, httpx.AsyncClient(base_url=served) as http:
            refused = await http.post("/auth/login/", json=credentials, timeout=60)
    assert refused.status_code >= 500
    assert "Application startup complete" in caplog.text
    for secret in (password, login.split(":")[1], credentials["password"]):
        assert secret not in f"{refused.headers} {refused.text} {caplog.text}"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_placeholder_secret_prevents_the_start_with_one_line(aws: Aws, tmp_path: Path, workers: str) -> None:
    placeholder = "change-me-" + uuid4().hex
    url = "postgresql+psycopg2://api@127.0.0.1:1/none"
    redis = "redis://127.0.0.1:1/0"
    values = {"users_url": url, "warehouse_url": url, "redis_state_url": redis, "redis_cache_url": redis}
    aws.put("registru/bad", {**values, "jwt_secret": placeholder, "dagster_key": uuid4().hex})
    [port] = free_ports(1)
    environment = {**aws.environment, "REGISTRU_AWS_SECRET_ID": "registru/bad"}
    # uvicorn waits this long for each worker, even for one that has already ended.
    waiting = ("--timeout-worker-healthcheck", "20")
    process = start_api(environment, port=port, workers=workers, options=waiting)
    _, log = process.communicate(timeout=200)
    assert process.returncode != 0 or workers == "2"  # uvicorn exits with 0 even if no worker starts
    assert "refused to start: REGISTRU_JWT_SECRET is a placeholder" in log
    assert "(from the AWS secret registru/bad)" in log
    assert "Traceback" not in log
    assert placeholder not in log
