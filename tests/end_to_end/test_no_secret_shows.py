"""Tests that no output, log, stored data or process of the platform contains a secret of its home."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
from jose import jwt
from sqlalchemy import inspect, text

from stack.cli import main
from stack.orphan_processes import processes_of
from stack.secrets import load_or_create
from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles

CONFIGS = "{ runsOrError(limit: 500) { ... on Runs { results { runConfigYaml tags { key value } } } } }"
INSTANCE = "{ instance { info } }"
_LONGEST_FILE = 50_000_000


@pytest.fixture(scope="module")
def needles(platform: Platform) -> set[str]:
    """Every secret of the home, as it is and percent-encoded as in a URL; the passwords of URLs are among them."""
    stored = load_or_create(platform.home.secrets)
    retired = [key["secret"] for key in stored.jwt_retired]
    single = [stored.superuser, stored.redis, stored.jwt, stored.dagster, stored.operator]
    secrets = [*single, *stored.database.values(), *retired]
    assert all(len(secret) > 30 for secret in secrets)
    return {form for secret in secrets for form in (secret, quote(secret, safe=""))}


@pytest.fixture(scope="module")
def used(platform: Platform) -> Platform:
    """The platform after a scrape that succeeds, one that fails, and requests that are refused."""
    platform.wait_until_healthy()
    with platform.signed_in() as user:
        assert user.fetch(make_idno(9911))["state"] == "succeeded"
        assert user.fetch(CASES[CaseName.BROKEN_JSON].idno)["state"] == "failed"
    wrong = {"ops": {"source_data": {"config": {"idnos": ["12"]}}}}
    platform.launch(wrong)
    return platform


def contains_secret(needles: Iterable[str], haystack: str) -> bool:
    return any(needle in haystack for needle in needles)


def files_of(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):  # unlike rglob, it tolerates folders that disappear meanwhile
        yield from (path for name in names if _is_readable(path := Path(parent) / name))


def _is_readable(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size < _LONGEST_FILE


def test_logs_contain_no_secret(used: Platform, needles: set[str]) -> None:
    logs = [*files_of(used.home.logs), *files_of(used.home.compute_logs)]
    assert len(logs) > 10
    assert [path for path in logs if contains_secret(needles, path.read_text(errors="replace"))] == []


def test_only_private_files_contain_secrets(used: Platform, needles: set[str]) -> None:
    holding = []
    for path in files_of(used.home.path):
        if path.is_relative_to(used.home.postgres):
            continue  # a private folder that holds only verifiers of the roles' passwords
        try:
            if contains_secret(needles, path.read_text(errors="replace")):
                holding.append(path)
        except FileNotFoundError:
            continue  # files of browser profiles are created and deleted all the time
    assert used.home.secrets in holding
    assert [path for path in holding if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
    run = used.home.run
    assert {path.relative_to(run).parts[0] for path in holding if path != used.home.secrets} == {
        "secrets",
        "valkey.conf",
    }
    assert stat.S_IMODE(used.home.postgres.stat().st_mode) == 0o700


def test_each_service_gets_only_its_own_secrets(used: Platform) -> None:
    given = {
        folder.name: {path.name.removeprefix("registru_") for path in folder.iterdir()}
        for folder in used.home.secret_files.iterdir()
    }
    stores = {"warehouse_url", "redis_state_url", "redis_cache_url"}
    assert given == {
        "api": {*stores, "users_url", "jwt_secret", "jwt_retired_secrets", "dagster_key"},
        "pipeline": {*stores, "dagster_database_url"},
        "daemon": {"dagster_database_url"},
        "webserver": {"dagster_database_url", "dagster_key"},
        "gateway": {"dagster_key"},
    }


def test_command_lines_and_environments_contain_no_secret(used: Platform, needles: set[str]) -> None:
    processes = [psutil.Process(used.process.pid), *processes_of(used.home)]
    assert len(processes) > 12
    holding = []
    for process in processes:
        try:
            visible = " ".join([*process.cmdline(), *process.environ().values()])
        except psutil.Error:
            continue  # the process has ended
        if contains_secret(needles, visible):
            holding.append(process.name())
    assert holding == []


def test_dagster_tables_contain_no_secret(used: Platform, needles: set[str]) -> None:
    read = 0
    with used.engine(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE).connect() as connection:
        for table in inspect(connection).get_table_names():
            for [row] in connection.execute(text(f'SELECT t::text FROM "{table}" t')):
                assert not contains_secret(needles, row), table
                read += 1
    assert read > 20


def test_dagster_shows_no_secret(used: Platform, needles: set[str]) -> None:
    shown = f"{used.graphql(CONFIGS)} {used.graphql(INSTANCE)}"
    assert "idnos" in shown
    assert "max_runtime_seconds" in shown
    assert not contains_secret(needles, shown)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nowhere", None),
        ("GET", "/auth/me/", None),
        ("POST", "/auth/login/", "{"),
        ("POST", "/auth/login/", '{"username": "operator", "password": "wrong"}'),
        ("POST", "/scrape/", '{"idno": "12"}'),
        ("POST", "/scrape/", "x" * 2_000_000),
        ("GET", "/dagster/graphql?query={nothing}", None),
        ("POST", "/dagster/graphql", '{"query": "mutation { launchRun }"}'),
        ("GET", "/health/", None),
    ],
)
def test_api_answers_contain_no_secret(
    used: Platform, needles: set[str], method: str, path: str, body: str | None
) -> None:
    headers = {"Content-Type": "application/json"}
    with httpx.Client(base_url=used.url, trust_env=False, timeout=60) as stranger:
        for client in (used.analyst, stranger):
            answer = client.request(method, path, content=body, headers=headers)
            assert not contains_secret(needles, f"{answer.headers} {answer.text}")


def test_running_platform_uses_a_rotated_signing_key(
    used: Platform, user: PlatformUser, capsys: pytest.CaptureFixture[str]
) -> None:
    def kid() -> str:
        token = user.sign_in()["access_token"]
        return str(jwt.get_unverified_header(token)["kid"])

    before, mine = kid(), user.http.headers["Authorization"]
    servers = {process.pid for process in used.processes("api.main:create_app")}
    assert main(["rotate-key", "--home", str(used.home.path)]) == 0
    assert "a new key signs access tokens now" in capsys.readouterr().out
    wait_for("a token signed with the new key", lambda: kid() != before)
    assert user.http.get("/auth/me/", headers={"Authorization": mine}).status_code == httpx.codes.OK
    assert {process.pid for process in used.processes("api.main:create_app")} == servers
