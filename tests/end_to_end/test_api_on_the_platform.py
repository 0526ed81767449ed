"""Tests of the API that need the whole platform: its gateway, its Dagster, its command and its files."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from stack.home import PROJECT
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles


def contents(folder: Path) -> bytes:
    """Return what all files of a folder contain."""
    read = bytearray()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # Valkey replaces its files
            read += path.read_bytes() if path.is_file() else b""
    return bytes(read)


def create_admin(platform: Platform, username: str, password: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stack.cli", "create-admin", "--home", str(platform.home.path)]
    return subprocess.run(
        [*command, "--username", username, "--password-stdin"],
        input=f"{password}\n",
        text=True,
        capture_output=True,
        cwd=PROJECT,
        check=False,
    )


def test_create_admin_creates_an_account_that_can_manage_accounts(platform: Platform) -> None:
    username, password = f"chief-{uuid4().hex[:8]}", uuid4().hex
    done = create_admin(platform, username, password)
    assert done.returncode == 0, done.stderr
    assert password not in done.stdout + done.stderr
    credentials = {"username": username, "password": password}
    token = httpx.post(f"{platform.url}/auth/login/", json=credentials, trust_env=False).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = httpx.get(f"{platform.url}/admin/users/", headers=headers, trust_env=False)
    assert answer.status_code == 200


def test_create_admin_refuses_a_taken_name_with_one_line(platform: Platform) -> None:
    assert platform.admin
    password = uuid4().hex
    done = create_admin(platform, "boss", password)
    assert done.returncode == 1
    assert "the account boss already exists" in done.stderr
    assert password not in done.stderr
    assert "Traceback" not in done.stderr


def test_api_key_with_read_scope_gets_the_read_only_dagster(platform: Platform, user: PlatformUser) -> None:
    query = {"query": "{ permissions { permission value } }"}
    for scopes, may in ((["dagster:read"], False), (["dagster:read", "dagster"], True)):
        made = user.http.post("/auth/keys/", json={"name": "a machine", "scopes": scopes}).json()
        answer = httpx.post(
            f"{platform.url}/dagster/graphql",
            json=query,
            headers={"X-API-Key": made["key"]},
            trust_env=False,
        )
        granted = {each["permission"]: each["value"] for each in answer.json()["data"]["permissions"]}
        assert granted["launch_pipeline_execution"] is may


def test_gateway_refuses_missing_and_invalid_credentials_for_dagster(
    platform: Platform, user: PlatformUser
) -> None:
    refused = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"{user.http.headers['Authorization'][:-2]}AA"},
        {"X-API-Key": "rk_aaaaaaaaaaaa_wrong"},
    ]
    for headers in refused:
        answer = httpx.get(f"{platform.url}/dagster/server_info", headers=headers, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_client_cannot_forge_its_address_at_the_gateway(platform: Platform) -> None:
    headers = {"X-Forwarded-For": "10.98.0.1", "Forwarded": "for=10.98.0.1", "X-Real-IP": "10.98.0.1"}
    httpx.get(f"{platform.url}/auth/me/", headers={**headers, "X-API-Key": "rk_x"}, trust_env=False)
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
        query = text("SELECT count(*) FROM audit_log WHERE address = '10.98.0.1'")
        assert connection.execute(query).scalar_one() == 0


def test_gateway_passes_on_refusals_of_the_api(user: PlatformUser) -> None:
    for idno in ("1" * 10_000_000, "../x", "1003600069773\u0000"):
        answer = user.http.post("/scrape/", json={"idno": idno})
        assert answer.status_code == (413 if len(idno) > 65_536 else 422)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert user.http.get("/scrape/%00/").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("path", ["/", "/health", "/health/", "/auth/me", "/auth/me/"])
def test_gateway_serves_paths_with_and_without_trailing_slash(user: PlatformUser, path: str) -> None:
    assert user.http.get(path).status_code == httpx.codes.OK


def test_health_lists_every_part(user: PlatformUser) -> None:
    assert user.http.get("/health/").json() == {
        "status": "ok",
        "parts": {"users": "ok", "warehouse": "ok", "redis": "ok", "dagster": "ok"},
        "pauses": [],
    }


def test_forced_refresh_visits_a_company_with_a_fresh_record_again(
    platform: Platform, user: PlatformUser
) -> None:
    idno = make_idno(3301)
    user.fetch(idno)
    assert user.http.post("/scrape/", json={"idno": idno}).json()["cached"] is True

    answer = user.http.post("/scrape/", json={"idno": idno, "forced_refresh": True})
    assert answer.status_code == httpx.codes.ACCEPTED
    user.wait(answer.json()["run_id"])
    assert platform.site.visits(idno) == 2


def test_passwords_tokens_and_api_keys_are_not_logged_or_stored_in_clear_text(
    platform: Platform, user: PlatformUser
) -> None:
    access = user.http.headers["Authorization"].split()[1]
    user.http.get("/auth/me/")
    refreshed = user.sign_in()["refresh_token"]
    following = user.http.post("/auth/refresh/", json={"refresh_token": refreshed}).json()["refresh_token"]
    made = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]}).json()["key"]
    user.http.get("/auth/verify", headers={"X-API-Key": made, "Authorization": ""})
    secrets = [user.password, access, refreshed, following, made.split("_", 2)[2]]

    with platform.engine(database_roles.USERS_OWNER, database_roles.USERS_DATABASE).begin() as connection:
        stored = [
            str(row)
            for table in ("refresh_tokens", "sessions", "api_keys", "audit_log", "users")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    logs = contents(platform.home.logs).decode(errors="replace")
    assert "Application startup complete" in logs  # the API's log is among those that were read
    wait_for("the account on Valkey's disk", lambda: user.username.encode() in contents(platform.home.valkey))
    redis = contents(platform.home.valkey)
    for secret in secrets:
        assert secret not in logs
        assert not any(secret in row for row in stored)
        assert secret.encode() not in redis
