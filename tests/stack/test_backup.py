"""Backups are complete, a damaged one is refused, and a restored platform has the same data and works."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster
import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipeline.records.capture_store import captures_of_companies, store_capture
from pipeline.records.record_updates import update_records
from stack import postgres
from stack.accounts import ensure_operator
from stack.backup.manifest import read_manifest
from stack.databases import SETTINGS, OwnedDatabase, open_databases, postgres_alone
from stack.home import PROJECT, Home
from stack.migrations import migrate_all
from stack.secrets import load_or_create
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import CaptureSpec
from tests.platform_harness import Platform, running_platform
from tests.stack.command_in_process import registru
from tests.stores import running_valkey
from warehouse.schema import database_roles
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS, revisions

IDNO = make_idno(3600)
_CHANGED_BY_RESTORE = {"sessions": ("ended_at", "ended_by"), "users": ("password_hash",)}
"""Columns that a restore changes: it ends sessions and sets the operator's password."""


def done(*arguments: str | Path) -> str:
    finished = registru(*arguments)
    assert finished.status == 0, finished.errors
    return finished.output


def refused(*arguments: str | Path) -> str:
    finished = registru(*arguments)
    assert finished.status == 1
    return finished.errors


def rows_by_table(home: Home) -> dict[str, list[str]]:
    """Return the sorted hashes of all rows of each table, without the columns that a restore changes."""
    rows: dict[str, list[str]] = {}
    with open_databases(home) as databases:
        for database in databases:
            with database.engine().connect() as connection:
                for table in connection.scalars(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                ):
                    left_out = " - ".join(
                        ["to_jsonb(t)", *(f"'{column}'" for column in _CHANGED_BY_RESTORE.get(table, ()))]
                    )
                    hashes = connection.scalars(
                        text(f'SELECT md5(({left_out})::text) FROM "{table}" t ORDER BY 1')
                    )
                    rows[f"{database.name}.{table}"] = list(hashes)
    return rows


@dataclass(frozen=True)
class BackupContents:
    """A home that holds a company and runs nothing, with its backup and the hashes of its rows."""

    home: Home
    backup: Path
    rows: dict[str, list[str]]


@pytest.fixture(scope="module")
def saved(starts_stores: None, site: Site, tmp_path_factory: pytest.TempPathFactory) -> BackupContents:
    folder = tmp_path_factory.mktemp("saved")
    home = Home.at(folder / "home")
    secrets = load_or_create(home.secrets)
    home.site.write_text(f"{site.url}\n")
    postgres.prepare(home, secrets)
    with postgres_alone(home, secrets, mark=home) as databases:
        migrate_all(databases)
        urls = {database.name: database.url for database in databases}
        ensure_operator(urls[database_roles.USERS_DATABASE], secrets)
        _fill(databases, folder / "dagster")
    rows = rows_by_table(home)
    assert all(rows[table] for table in _FILLED)
    output = done("backup", "--home", home.path, "--output", folder / "backups")
    return BackupContents(home, Path(output.partition(":")[0]), rows)


_FILLED = (
    *("users.users", "users.sessions", "users.audit_log", "dagster.runs", "dagster.event_logs"),
    *("warehouse.source_data", "warehouse.raw_documents", "warehouse.transformed_data"),
)


@dagster.job
def trivial() -> None:
    """A job without steps, whose run leaves its events in Dagster's database."""


def _fill(databases: tuple[OwnedDatabase, ...], instance_folder: Path) -> None:
    """Store a session, a run, and a company with its capture and its record."""
    by_name = {database.name: database for database in databases}
    with by_name[database_roles.USERS_DATABASE].engine().begin() as connection:
        connection.execute(
            text(
                "INSERT INTO sessions (id, user_id, kind, expires_at)"
                " SELECT gen_random_uuid(), id, 'api', now() + interval '1 day' FROM users"
            )
        )
    warehouse = by_name[database_roles.WAREHOUSE_DATABASE].engine()
    with warehouse.begin() as connection:
        capture = CaptureSpec(IDNO).capture(datetime.now(UTC))
        store_capture(connection, capture, run_id="a run", requested_by="ana")
        captures = captures_of_companies(connection, [IDNO])
    assert [each.result for each in update_records(warehouse.begin, captures)] == ["transformed"]
    instance_folder.mkdir()
    storage = {"postgres": {"postgres_url": by_name[database_roles.DAGSTER_DATABASE].url}}
    config = {"storage": storage, "telemetry": {"enabled": False}}
    (instance_folder / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dagster.DagsterInstance.from_config(str(instance_folder)) as instance:
        assert trivial.execute_in_process(instance=instance).success


@pytest.mark.usefixtures("starts_platform")
def test_restore_after_total_loss_brings_back_every_row(
    saved: BackupContents, site: Site, tmp_path: Path
) -> None:
    assert {name.partition(".")[0] for name in saved.rows} == {"users", "warehouse", "dagster"}
    home = Home(tmp_path / "home")  # nothing of the old home is left, neither data nor secrets

    # As a user runs it: in another process, without the variables of the tests' environment.
    command = [sys.executable, "-m", "stack.cli", "restore", str(saved.backup), "--home", str(home.path)]
    restored = subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert restored.returncode == 0, restored.stderr
    assert "compared row by row" in restored.stdout
    rows = rows_by_table(Home.at(home.path))
    # The restore itself is in the audit log.
    assert len(rows["users.audit_log"]) == len(saved.rows["users.audit_log"]) + 1
    assert set(saved.rows["users.audit_log"]) < set(rows.pop("users.audit_log"))
    assert rows == {name: hashes for name, hashes in saved.rows.items() if name != "users.audit_log"}
    _check_privileges_and_sequences(home)
    with running_platform(home.path, site, warm_browsers="1") as platform:
        record = json.loads(done("scrape", IDNO, "--home", home.path))[0]
        assert (record["cached"], record["data"]["idno"]) == (True, IDNO)
        with platform.signed_in() as user:
            assert user.fetch(make_idno(3601))["state"] == "succeeded"


def _check_privileges_and_sequences(home: Home) -> None:
    with open_databases(home) as databases:
        by_name = {database.name: database for database in databases}
        with (
            pytest.raises(DBAPIError, match="append-only"),
            by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection,
        ):
            connection.execute(text("DELETE FROM source_data"))
        with by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection:
            newest = connection.execute(text("SELECT max(id) FROM source_data")).scalar_one()
            following = connection.execute(
                text("SELECT nextval(pg_get_serial_sequence('source_data', 'id'))")
            ).scalar_one()
            assert following > newest
            assert connection.scalar(text("SELECT has_table_privilege('pipeline', 'source_data', 'INSERT')"))
            assert not connection.scalar(text("SELECT has_table_privilege('api', 'source_data', 'INSERT')"))


def test_only_the_owner_can_read_a_backup_and_it_contains_no_secret(saved: BackupContents) -> None:
    assert stat.S_IMODE(saved.backup.stat().st_mode) == 0o700
    assert {path.name for path in saved.backup.iterdir()} == {
        *("manifest.json", "users.dump", "dagster.dump", "warehouse.dump")
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in saved.backup.iterdir()} == {0o600}
    secrets = [value for value in _texts(json.loads(saved.home.secrets.read_text())) if len(value) > 20]
    content = b"".join(path.read_bytes() for path in saved.backup.iterdir())
    assert secrets and not any(secret.encode() in content for secret in secrets)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def _remove_part(backup: Path) -> None:
    (backup / "warehouse.dump").unlink()


def _truncate(backup: Path) -> None:
    path = backup / "users.dump"
    path.write_bytes(path.read_bytes()[:-1])


def _tamper(backup: Path) -> None:
    path = backup / "dagster.dump"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _break_manifest(backup: Path) -> None:
    (backup / "manifest.json").write_text("{}")


def _change_manifest(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def changed(backup: Path) -> None:
        path = backup / "manifest.json"
        manifest = json.loads(path.read_text())
        [part] = [part for part in manifest["parts"] if part["database"] == "warehouse"]
        change(part)
        path.write_text(json.dumps(manifest))

    return changed


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove_part, "warehouse.dump is missing"),
        (_truncate, "users.dump is damaged"),
        (_tamper, "dagster.dump is damaged"),
        (_break_manifest, "manifest.json is damaged"),
        (
            _change_manifest(lambda part: part.update(revision="9999")),
            "revision 9999, which this version does not",
        ),
    ],
)
def test_damaged_or_too_new_backup_is_refused_before_anything_changes(
    saved: BackupContents, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    backup = Path(shutil.copytree(saved.backup, tmp_path / saved.backup.name))
    damage(backup)
    assert message in refused("restore", backup, "--home", tmp_path / "home")
    assert not Home.at(tmp_path / "home").postgres.exists()


def test_restore_that_differs_from_the_manifest_leaves_the_home_unchanged(
    saved: BackupContents, tmp_path: Path
) -> None:
    backup = Path(shutil.copytree(saved.backup, tmp_path / saved.backup.name))
    _change_manifest(lambda part: part["tables"]["source_data"].update(rows=7))(backup)  # type: ignore[index]
    errors = refused("restore", backup, "--home", tmp_path / "home")
    assert "table source_data of database warehouse differs from the backup" in errors
    home = Home.at(tmp_path / "home")
    assert not home.postgres.exists() and not (home.path / "restoring").exists()


def test_existing_data_is_replaced_only_with_force(saved: BackupContents, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("18\n")
    assert "already holds data" in refused("restore", saved.backup, "--home", home.path)
    assert (home.postgres / "PG_VERSION").exists()


def test_restore_into_a_used_home_removes_its_redis_data(saved: BackupContents, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    with running_valkey(home.path) as redis:
        redis.set("session:of the old data", "still open")
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("18\n")
    done("restore", saved.backup, "--home", home.path, "--force")
    with running_valkey(home.path) as redis:
        assert redis.keys() == []


def test_running_platform_can_be_backed_up_but_not_restored_into(platform: Platform, tmp_path: Path) -> None:
    platform.wait_until_healthy()
    home = platform.home.path
    done("backup", "--home", home, "--output", tmp_path)
    [first] = tmp_path.iterdir()
    earlier = first.rename(tmp_path / "registru-20200101T000000Z")  # two backups cannot be of the same second
    output = done("backup", "--home", home, "--output", tmp_path, "--keep", "1")
    [backup] = tmp_path.iterdir()
    assert output.startswith(str(backup)) and f"removed {earlier}" in output
    assert "is undamaged" in done("backup", "--verify", backup)
    assert "in use by another" in refused("restore", backup, "--home", home, "--force")


def test_external_databases_are_backed_up_and_restored_by_their_owners_urls(
    saved: BackupContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is the case of containers and RDS: no superuser, and new, empty databases for the restore."""
    assert "REGISTRU_USERS_OWNER_URL is not set" in refused("backup", "--external")
    other = Home.at(tmp_path / "other")
    secrets = load_or_create(other.secrets)
    postgres.prepare(other, secrets)
    with (
        postgres_alone(other, secrets, mark=other) as databases,
        running_valkey(tmp_path / "valkey") as redis,
    ):
        options = redis.connection_pool.connection_kwargs
        url = f"redis://:{options['password']}@{options['host']}:{options['port']}"
        environment = {
            **{SETTINGS[database.name]: database.url for database in databases},
            "REGISTRU_REDIS_STATE_URL": f"{url}/0",
            "REGISTRU_REDIS_CACHE_URL": f"{url}/1",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        redis.set("old key", "1")

        done("restore", saved.backup, "--external")
        assert not redis.exists("old key")
        assert "database users is not empty" in refused("restore", saved.backup, "--external")
        done("backup", "--external", "--output", tmp_path / "backups")
        migrated = done("migrate", "--external")
        assert f"warehouse: at revision {revisions(WAREHOUSE_MIGRATIONS)[-1]}" in migrated
    [backup] = (tmp_path / "backups").iterdir()
    first, second = read_manifest(saved.backup), read_manifest(backup)
    assert (
        second.part(database_roles.WAREHOUSE_DATABASE).tables
        == first.part(database_roles.WAREHOUSE_DATABASE).tables
    )
    assert (
        second.part(database_roles.DAGSTER_DATABASE).tables
        == first.part(database_roles.DAGSTER_DATABASE).tables
    )
