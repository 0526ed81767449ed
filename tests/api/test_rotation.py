"""Keys and passwords that change while the API runs: as it is started in production, by secrets of AWS or files."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from anyio import to_thread
from jose import jwt
from redis import Redis
from sqlalchemy import Connection, text

from api.auth.tokens import key_id
from api.settings import ApiSettings
from stack.home import PROJECT
from stack.ports import free_ports
from stack.processes import uvicorn
from stack.secrets import write_files
from tests.api.api_harness import ApiHarness
from tests.aws import Aws, running_aws
from tests.polling import wait_for
from tests.warehouse_server import Databases

pytestmark = pytest.mark.anyio

SECRET = "registru/api"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


def held_by(settings: ApiSettings) -> dict[str, Any]:
    """What the secret of an API on the stage holds."""
    return {
        "users_url": settings.users_url,
        "warehouse_url": settings.warehouse_url,
        "redis_state_url": settings.redis_state_url,
        "redis_cache_url": settings.redis_cache_url,
        "jwt_secret": settings.jwt_secret.get_secret_value(),
        "dagster_key": settings.dagster_key.get_secret_value(),
    }


def rotated(held: Mapping[str, Any]) -> dict[str, Any]:
    """The same with a new signing key; the old one is retired in a moment."""
    retired_at = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    retired = [{"secret": held["jwt_secret"], "retired_at": retired_at}]
    return {**held, "jwt_secret": uuid4().hex + uuid4().hex, "jwt_retired_secrets": retired}


class Served:
    """An API that runs, and a user of it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.http = process, httpx.Client(base_url=url, timeout=60, trust_env=False)
        self.account = {"username": f"user-{uuid4().hex[:12]}", "password": uuid4().hex}

    def sign_in(self) -> str:
        """Return an access token."""
        answer = self.http.post("/auth/login/", json=self.account)
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])

    def status_of(self, token: str) -> int:
        """How somebody with a token is answered."""
        return self.http.get("/auth/me/", headers={"Authorization": f"Bearer {token}"}).status_code

    def wait_until_it_signs_with(self, key: str) -> str:
        """Return the first token that is signed with a key."""

        def token() -> str | None:
            made = self.sign_in()
            return made if jwt.get_unverified_header(made)["kid"] == key_id(key) else None

        return wait_for("a token signed with the new key", token)


def started(environment: Mapping[str, str], *, port: int, workers: str) -> "subprocess.Popen[str]":
    """Start the API with nothing in its environment but this."""
    command = [sys.executable, *uvicorn("api.main:create_app", port=port, workers=workers)]
    told = {"REGISTRU_DAGSTER_URL": "http://127.0.0.1:1", "REGISTRU_BCRYPT_COST": "10", **environment}
    return subprocess.Popen(command, cwd=PROJECT, env=told, stderr=subprocess.PIPE, text=True)


@contextmanager
def serving(environment: Mapping[str, str], *, workers: str = "1") -> Iterator[Served]:
    """Serve the API, with a user who is registered."""
    [port] = free_ports(1)
    process = started(
        # Often, so that workers are told within the test, too.
        {
            "REGISTRU_LIMIT_GUESSES": "600/minute",
            "REGISTRU_LIMIT_GUESSES_ACCOUNT": "600/minute",
            **environment,
        },
        port=port,
        workers=workers,
    )
    served = Served(process, f"http://127.0.0.1:{port}")
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


async def test_an_api_that_knows_all_from_aws_takes_a_new_key_when_it_is_told(
    harness: ApiHarness, aws: Aws
) -> None:
    def use() -> None:
        old = held_by(harness.services.settings)
        aws.put(SECRET, old)
        environment = {**aws.environment, "REGISTRU_AWS_SECRET_ID": SECRET, "REGISTRU_SECRETS_MINUTES": "0"}
        with serving(environment) as api:
            mine = api.sign_in()
            new = rotated(old)
            aws.put(SECRET, new)
            api.process.send_signal(signal.SIGHUP)
            token = api.wait_until_it_signs_with(new["jwt_secret"])
            assert [api.status_of(each) for each in (mine, token)] == [200, 200]

            aws.put(SECRET, {**new, "jwt_retired_secrets": []})
            api.process.send_signal(signal.SIGHUP)
            wait_for("the end of the old key", lambda: api.status_of(mine) == 401)

            aws.put(SECRET, {**new, "jwt_secret": "change-me" * 5})
            api.process.send_signal(signal.SIGHUP)
            assert api.process.stderr is not None
            refused = next(line for line in api.process.stderr if "those from before stay" in line)
            assert "REGISTRU_JWT_SECRET is a placeholder" in refused
            assert api.status_of(token) == 200

    await to_thread.run_sync(use)


async def test_a_token_that_another_replica_signed_with_a_newer_key_is_good_at_once(
    harness: ApiHarness, tmp_path: Path
) -> None:
    def use() -> None:
        old = held_by(harness.services.settings)
        write_files(tmp_path, {**old})
        environment = {"REGISTRU_SECRETS_DIR": str(tmp_path), "REGISTRU_SECRETS_MINUTES": "0"}
        with serving(environment) as api:
            claims = jwt.get_unverified_claims(api.sign_in())
            new = uuid4().hex + uuid4().hex
            write_files(tmp_path, {"jwt_secret": new})
            theirs = jwt.encode(claims, new, algorithm="HS256", headers={"kid": key_id(new)})
            # What was read a moment ago is not read again, whatever comes.
            wait_for("the key to be learnt", lambda: api.status_of(theirs) == 200, seconds=20)
            forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": key_id("x" * 64)})
            assert api.status_of(forged) == 401

    await to_thread.run_sync(use)


async def test_several_workers_take_a_new_key_while_nobody_is_refused(
    harness: ApiHarness, tmp_path: Path
) -> None:
    def use() -> None:
        old = held_by(harness.services.settings)
        write_files(tmp_path, {**old, "jwt_retired_secrets": "[]"})
        with serving({"REGISTRU_SECRETS_DIR": str(tmp_path)}, workers="2") as api:
            mine = api.sign_in()
            new = stage_rotation(old, tmp_path)
            api.process.send_signal(signal.SIGHUP)
            in_a_row = 0

            def all_sign_with_it() -> bool:
                nonlocal in_a_row
                # A connection each, so that either worker is met. One that is cut when a worker ends was not refused.
                with (
                    suppress(httpx.ReadError, httpx.RemoteProtocolError),
                    httpx.Client(base_url=api.http.base_url, timeout=60, trust_env=False) as http,
                ):
                    token = http.post("/auth/login/", json=api.account).json()["access_token"]
                    for each in (mine, token):
                        me = http.get("/auth/me/", headers={"Authorization": f"Bearer {each}"})
                        assert me.status_code == 200, me.text
                    is_new = jwt.get_unverified_header(token)["kid"] == key_id(new)
                    in_a_row = in_a_row + 1 if is_new else 0
                return in_a_row >= 8

            wait_for("every worker to sign with the new key", all_sign_with_it, seconds=90)

    await to_thread.run_sync(use)


def stage_rotation(old: Mapping[str, Any], folder: Path) -> str:
    """Write a new key as `registru rotate-key` does: first what the old one becomes. Return the new one."""
    retired_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    new = uuid4().hex + uuid4().hex
    retired = f'[{{"secret": "{old["jwt_secret"]}", "retired_at": "{retired_at}"}}]'
    write_files(folder, {"jwt_retired_secrets": retired, "jwt_secret": new})
    return new


async def test_new_connections_sign_in_with_new_passwords(harness: ApiHarness, tmp_path: Path) -> None:
    def use() -> None:
        old = held_by(harness.services.settings)
        write_files(tmp_path, old)
        environment = {"REGISTRU_SECRETS_DIR": str(tmp_path), "REGISTRU_SECRETS_MINUTES": "0"}
        state = Redis.from_url(old["redis_state_url"])
        with serving(environment) as api, another_role(harness.databases) as (administrator, login):
            api.sign_in()
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
                api.process.send_signal(signal.SIGHUP)
                gone = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api'")
                users = text("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'api%'")

                def is_only_new() -> bool:
                    # Each time: one may have been made after the signal and before the files were read.
                    administrator.execute(gone)
                    api.sign_in()
                    return set(administrator.execute(users).scalars()) == {login.split(":")[0]}

                wait_for("connections of the new role only", is_only_new)
                # The old password of Redis goes; who is connected with it is, too, by hand.
                state.acl_setuser("default", enabled=True, passwords=[f"-{old_password(old)}"])
                Redis.from_url(new["redis_state_url"]).client_kill_filter(_type="normal")
                wait_for("an answer", lambda: api.http.post("/auth/login/", json=api.account).is_success)
            finally:
                again = Redis.from_url(new["redis_state_url"])
                again.acl_setuser(
                    "default", enabled=True, passwords=[f"+{old_password(old)}", f"-{password}"]
                )
                again.close()
                state.close()

    await to_thread.run_sync(use)


def of_sql(held: Mapping[str, str]) -> dict[str, str]:
    return {name: held[name] for name in ("users_url", "warehouse_url")}


def of_redis(held: Mapping[str, str]) -> dict[str, str]:
    return {name: held[name] for name in ("redis_state_url", "redis_cache_url")}


def old_password(held: Mapping[str, str]) -> str:
    return held["redis_state_url"].split("//:")[1].split("@")[0]


@contextmanager
def another_role(databases: Databases) -> Iterator[tuple[Connection, str]]:
    """Yield a superuser's connection, and the login of a role that may what `api` may: the other one of a pair."""
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
async def test_a_store_that_refuses_shows_no_password_in_an_answer_or_the_log(
    harness: ApiHarness, tmp_path: Path, wrong: str
) -> None:
    def use() -> None:
        held, password = held_by(harness.services.settings), uuid4().hex
        login = held[wrong].split("//")[1].split("@")[0]
        write_files(
            tmp_path, {**held, wrong: held[wrong].replace(login, f"{login.split(':')[0]}:{password}")}
        )
        [port] = free_ports(1)
        process = started({"REGISTRU_SECRETS_DIR": str(tmp_path)}, port=port, workers="1")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            credentials = {"username": "ana", "password": uuid4().hex}

            def answer() -> httpx.Response | None:
                try:
                    return http.post("/auth/login/", json=credentials)
                except httpx.ConnectError:
                    return None

            refused = wait_for("an answer", answer)
        process.terminate()
        _, said = process.communicate(timeout=30)
        assert refused.status_code >= 500
        for secret in (password, login.split(":")[1], credentials["password"]):
            assert secret not in f"{refused.headers} {refused.text} {said}"

    await to_thread.run_sync(use)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_does_not_start_on_a_placeholder_and_says_so_in_a_line(
    aws: Aws, tmp_path: Path, workers: str
) -> None:
    placeholder = "change-me-" + uuid4().hex
    url = "postgresql+psycopg2://api@127.0.0.1:1/none"
    redis = "redis://127.0.0.1:1/0"
    held = {"users_url": url, "warehouse_url": url, "redis_state_url": redis, "redis_cache_url": redis}
    aws.put("registru/bad", {**held, "jwt_secret": placeholder, "dagster_key": uuid4().hex})
    [port] = free_ports(1)
    environment = {**aws.environment, "REGISTRU_AWS_SECRET_ID": "registru/bad"}
    process = started(environment, port=port, workers=workers)
    _, said = process.communicate(timeout=90)
    assert process.returncode != 0 or workers == "2"  # uvicorn calls it a good end when no worker starts
    assert "refused to start: REGISTRU_JWT_SECRET is a placeholder" in said
    assert "(from the AWS secret registru/bad)" in said
    assert "Traceback" not in said
    assert placeholder not in said
