"""Tests of the secrets of Dagster's processes: bad ones are refused, changed ones are used without a restart."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dagster import DagsterInstance
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipeline.dagster_host import dagster_settings
from pipeline.dagster_host.dagster_settings import WebserverSettings
from pipeline.dagster_host.webserver_guard import WebserverGuard
from stack.home import PROJECT
from stack.secrets import write_files
from tests.warehouse_server import Databases
from warehouse.config import reloadable
from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.settings import load
from warehouse.contract import KEY_HEADER

URL = "postgresql+psycopg2://dagster@127.0.0.1:1/dagster"
PLACEHOLDER = "change-me-change-me-change-me-change-me"
STORAGE = """
storage: {custom: {module: pipeline.dagster_host.instance_storage, class: Storage}}
telemetry: {enabled: false}
"""


def test_storage_signs_in_with_a_changed_password(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text(STORAGE)
    secrets = tmp_path / "secrets"
    url = databases.url("dagster", "dagster")
    write_files(secrets, {"dagster_database_url": url})
    monkeypatch.setenv("REGISTRU_SECRETS_DIR", str(secrets))
    monkeypatch.setattr(reloadable, "MIN_RELOAD_SECONDS", 0.0)
    dagster_settings.dagster_settings.cache_clear()
    password = uuid4().hex
    try:
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            assert instance.get_runs() == []
            instance.optimize_for_webserver(statement_timeout=5_000, pool_recycle=60, max_overflow=1)
            with databases.unrestricted(isolation_level="AUTOCOMMIT") as administrator:
                administrator.execute(text(f"ALTER ROLE dagster PASSWORD '{password}'"))
            write_files(
                secrets,
                {"dagster_database_url": url.replace(databases.secrets.database["dagster"], password)},
            )
            assert instance.get_runs() == []
            assert instance.all_instigator_state() == []
            assert list(instance.get_asset_keys()) == []
            assert password not in repr(instance.get_ref())
            stores: list[Any] = [instance.run_storage, instance.schedule_storage, instance.event_log_storage]
            for store in stores:
                store._engine.dispose()  # Dagster leaves pooled connections open
    finally:
        with databases.unrestricted(isolation_level="AUTOCOMMIT") as administrator:
            kept = databases.secrets.database["dagster"]
            administrator.execute(text(f"ALTER ROLE dagster PASSWORD '{kept}'"))
        dagster_settings.dagster_settings.cache_clear()


def test_webserver_accepts_the_former_key_during_a_key_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = uuid4().hex, uuid4().hex
    write_files(tmp_path, {"dagster_database_url": URL, "dagster_key": old})
    monkeypatch.setenv("REGISTRU_SECRETS_DIR", str(tmp_path))
    monkeypatch.setattr("pipeline.dagster_host.webserver_guard.MIN_RELOAD_SECONDS", 0.0)
    monkeypatch.setattr(reloadable, "MIN_RELOAD_SECONDS", 0.0)
    settings = ReloadableSettings(load(WebserverSettings), lambda: load(WebserverSettings))
    inner = Starlette(routes=[Route("/", lambda _: PlainTextResponse("in"))])
    transport = httpx.ASGITransport(WebserverGuard(inner, settings))

    async def send(key: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://dagster") as client:
            return (await client.get("/", headers={KEY_HEADER: key})).status_code

    def answers(*keys: str) -> list[int]:
        return [asyncio.run(send(key)) for key in keys]

    assert answers(old, new, "") == [200, 403, 403]
    write_files(tmp_path, {"dagster_key": new, "dagster_former_key": old})
    assert answers(new, old, "x" * 32) == [200, 200, 403]
    (tmp_path / "registru_dagster_former_key").unlink()
    settings.reload()
    assert answers(new, old) == [200, 403]


@pytest.mark.parametrize(
    ("module", "arguments", "secrets", "expected"),
    [
        (
            "pipeline.dagster_host.preflight",
            ("dagster", "dagster._daemon", "run"),
            {},
            "missing: REGISTRU_DAGSTER_DATABASE_URL (looked for in the files in ",
        ),
        (
            "pipeline.dagster_host.preflight",
            ("pipeline", "pipeline.dagster_host.run_server"),
            {
                "dagster_database_url": URL,
                "redis_state_url": f"redis://:{PLACEHOLDER}@localhost/0",
                "redis_cache_url": "redis://localhost",
                "warehouse_url": URL,
                "webdriver_url": "http://grid",
                "work_dir": "work",
            },
            "the password in REGISTRU_REDIS_STATE_URL is a placeholder; generate a random value (from the files in ",
        ),
        (
            "pipeline.dagster_host.webserver",
            (),
            {"dagster_database_url": URL, "dagster_key": PLACEHOLDER},
            "REGISTRU_DAGSTER_KEY is a placeholder; generate a random value (from the files in ",
        ),
        (
            "gateway.start",
            ("caddy", "version"),
            {"dagster_key": PLACEHOLDER},
            "REGISTRU_DAGSTER_KEY is a placeholder; generate a random value (from the files in ",
        ),
        ("pipeline.extract.browser.browser_lender", (), {}, "REGISTRU_WORK_DIR"),
    ],
)
@pytest.mark.usefixtures("starts_stores")
def test_process_refuses_a_bad_secret_with_one_line(
    tmp_path: Path, module: str, arguments: tuple[str, ...], secrets: Mapping[str, str], expected: str
) -> None:
    write_files(tmp_path, secrets)
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        env={"REGISTRU_SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr
    assert PLACEHOLDER not in done.stderr


@pytest.mark.usefixtures("starts_stores")
def test_preflight_starts_the_process_if_its_settings_are_valid(tmp_path: Path) -> None:
    write_files(tmp_path, {"dagster_database_url": URL})
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.dagster_host.preflight", "dagster", "dagster", "--version"],
        cwd=PROJECT,
        env={"REGISTRU_SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    assert "dagster, version" in done.stdout
