"""Nothing that the platform shows, logs, stores or hands to processes holds a secret of its home."""

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
    """Every secret of the home, as it is and as it would stand in a URL; the passwords of URLs are among them."""
    held = load_or_create(platform.home.secrets)
    retired = [each["secret"] for each in held.jwt_retired]
    one_each = [held.superuser, held.redis, held.jwt, held.dagster, held.operator]
    secrets = [*one_each, *held.database.values(), *retired]
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


def held_in(needles: Iterable[str], hay: str) -> bool:
    return any(needle in hay for needle in needles)


def files_of(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < _LONGEST_FILE:
            yield path


def test_no_log_holds_one(used: Platform, needles: set[str]) -> None:
    logs = [*files_of(used.home.logs), *files_of(used.home.compute_logs)]
    assert len(logs) > 10
    assert [path for path in logs if held_in(needles, path.read_text(errors="replace"))] == []


def test_only_files_that_nobody_else_may_read_hold_one(used: Platform, needles: set[str]) -> None:
    holding = []
    for path in files_of(used.home.path):
        if path.is_relative_to(used.home.postgres):
            continue  # stored as a role's verifier only, in a folder of its own
        try:
            if held_in(needles, path.read_text(errors="replace")):
                holding.append(path)
        except FileNotFoundError:
            continue  # a browser's profile comes and goes
    assert used.home.secrets in holding
    assert [path for path in holding if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
    run = used.home.run
    assert {path.relative_to(run).parts[0] for path in holding if path != used.home.secrets} == {
        "secrets",
        "valkey.conf",
    }
    assert stat.S_IMODE(used.home.postgres.stat().st_mode) == 0o700


def test_a_service_is_given_its_own_and_no_others(used: Platform) -> None:
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


def test_no_command_line_and_no_environment_holds_one(used: Platform, needles: set[str]) -> None:
    processes = [psutil.Process(used.process.pid), *processes_of(used.home)]
    assert len(processes) > 12
    holding = []
    for process in processes:
        try:
            told = " ".join([*process.cmdline(), *process.environ().values()])
        except psutil.Error:
            continue  # it has ended
        if held_in(needles, told):
            holding.append(process.name())
    assert holding == []


def test_no_table_of_dagsters_holds_one(used: Platform, needles: set[str]) -> None:
    read = 0
    with used.engine(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE).connect() as connection:
        for table in inspect(connection).get_table_names():
            for [row] in connection.execute(text(f'SELECT t::text FROM "{table}" t')):
                assert not held_in(needles, row), table
                read += 1
    assert read > 20


def test_dagster_shows_none(used: Platform, needles: set[str]) -> None:
    shown = f"{used.graphql(CONFIGS)} {used.graphql(INSTANCE)}"
    assert "idnos" in shown
    assert "max_runtime_seconds" in shown
    assert not held_in(needles, shown)


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
def test_no_answer_holds_one(
    used: Platform, needles: set[str], method: str, path: str, body: str | None
) -> None:
    headers = {"Content-Type": "application/json"}
    for client in (used.analyst, httpx.Client(base_url=used.url, trust_env=False, timeout=60)):
        answer = client.request(method, path, content=body, headers=headers)
        assert not held_in(needles, f"{answer.headers} {answer.text}")


def test_a_new_signing_key_is_taken_by_the_platform_that_runs(
    used: Platform, user: PlatformUser, capsys: pytest.CaptureFixture[str]
) -> None:
    def kid() -> str:
        token = user.sign_in()["access_token"]
        return str(jwt.get_unverified_header(token)["kid"])

    before, mine = kid(), user.http.headers["Authorization"]
    servers = {process.pid for process in used.processes("api.main:create_app")}
    assert main(["rotate-key", "--home", str(used.home.path)]) == 0
    assert "from now on" in capsys.readouterr().out
    wait_for("a token signed with the new key", lambda: kid() != before)
    assert user.http.get("/auth/me/", headers={"Authorization": mine}).status_code == httpx.codes.OK
    assert {process.pid for process in used.processes("api.main:create_app")} == servers
