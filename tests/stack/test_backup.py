"""Backups: whole or refused by name; what is restored is what was there, and the platform goes on with it."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stack import postgres
from stack.backup.manifest import read_manifest
from stack.cli import main
from stack.databases import SETTINGS, postgres_alone, served
from stack.home import PROJECT, Home
from stack.secrets import load_or_create
from standin.server import Site
from standin.site_facts import make_idno
from tests.platform_harness import Platform, running_platform
from tests.stores import running_valkey
from warehouse.schema import database_roles
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS, revisions

IDNO = make_idno(3600)
_ENDED_ON_PURPOSE = {"sessions": ("ended_at", "ended_by"), "users": ("password_hash",)}
"""What a restore changes: sessions end, the operator's password is this machine's."""


def registru(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stack.cli", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def done(*arguments: str | Path) -> str:
    finished = registru(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def refused(*arguments: str | Path) -> str:
    said = StringIO()
    with redirect_stderr(said):  # in this process: a start of the command takes longer than what is looked at
        assert main([str(each) for each in arguments]) == 1
    return said.getvalue()


def rows_by_table(home: Home) -> dict[str, list[str]]:
    """Every row of every table of all databases, hashed, in order; without what a restore changes on purpose."""
    found: dict[str, list[str]] = {}
    with served(home) as databases:
        for database in databases:
            with database.engine().connect() as connection:
                for table in connection.scalars(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                ):
                    left_out = " - ".join(
                        ["to_jsonb(t)", *(f"'{column}'" for column in _ENDED_ON_PURPOSE.get(table, ()))]
                    )
                    hashes = connection.scalars(
                        text(f'SELECT md5(({left_out})::text) FROM "{table}" t ORDER BY 1')
                    )
                    found[f"{database.name}.{table}"] = list(hashes)
    return found


@dataclass(frozen=True)
class BackupContents:
    """A home with a company in it, nothing running, and a backup of it."""

    home: Home
    backup: Path
    rows: dict[str, list[str]]


@pytest.fixture(scope="module")
def held(site: Site, tmp_path_factory: pytest.TempPathFactory) -> BackupContents:
    folder = tmp_path_factory.mktemp("held")
    with running_platform(folder / "home", site) as platform, platform.signed_in() as user:
        assert user.fetch(IDNO)["state"] == "succeeded"
    home = Home.at(folder / "home")
    rows = rows_by_table(home)
    told = done("backup", "--home", home.path, "--output", folder / "backups")
    return BackupContents(home, Path(told.partition(":")[0]), rows)


def test_what_is_restored_after_all_is_lost_is_what_was_there(held: BackupContents, site: Site) -> None:
    assert {name.partition(".")[0] for name in held.rows} == {"users", "warehouse", "dagster"}
    shutil.rmtree(held.home.path)

    told = done("restore", held.backup, "--home", held.home.path)

    assert "every row compared" in told
    rows = rows_by_table(Home.at(held.home.path))
    # That there was a restore is written down.
    assert len(rows["users.audit_log"]) == len(held.rows["users.audit_log"]) + 1
    assert set(held.rows["users.audit_log"]) < set(rows.pop("users.audit_log"))
    assert rows == {name: hashes for name, hashes in held.rows.items() if name != "users.audit_log"}
    _rights_and_sequences_are_right(held.home)
    with running_platform(held.home.path, site) as platform:
        record = json.loads(done("scrape", IDNO, "--home", held.home.path))[0]
        assert (record["cached"], record["data"]["idno"]) == (True, IDNO)
        with platform.signed_in() as user:
            assert user.fetch(make_idno(3601))["state"] == "succeeded"


def _rights_and_sequences_are_right(home: Home) -> None:
    with served(home) as databases:
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


def test_nobody_else_can_read_a_backup_and_no_secret_is_in_it(held: BackupContents) -> None:
    assert stat.S_IMODE(held.backup.stat().st_mode) == 0o700
    assert {path.name for path in held.backup.iterdir()} == {
        *("manifest.json", "users.dump", "dagster.dump", "warehouse.dump")
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in held.backup.iterdir()} == {0o600}
    secrets = [value for value in _texts(json.loads(held.home.secrets.read_text())) if len(value) > 20]
    content = b"".join(path.read_bytes() for path in held.backup.iterdir())
    assert secrets and not any(secret.encode() in content for secret in secrets)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)


def _lose(backup: Path) -> None:
    (backup / "warehouse.dump").unlink()


def _cut(backup: Path) -> None:
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
    ("harm", "said"),
    [
        (_lose, "warehouse.dump is missing"),
        (_cut, "users.dump is broken"),
        (_tamper, "dagster.dump is broken"),
        (_break_manifest, "manifest.json is broken"),
        (
            _change_manifest(lambda part: part.update(revision="9999")),
            "revision 9999, which this version does not",
        ),
    ],
)
def test_a_backup_that_is_not_whole_or_too_new_is_refused_before_anything_is_touched(
    held: BackupContents, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    backup = Path(shutil.copytree(held.backup, tmp_path / held.backup.name))
    harm(backup)
    assert said in refused("restore", backup, "--home", tmp_path / "home")
    assert not Home.at(tmp_path / "home").postgres.exists()


def test_what_does_not_come_back_as_it_was_backed_up_leaves_the_home_as_it_was(
    held: BackupContents, tmp_path: Path
) -> None:
    backup = Path(shutil.copytree(held.backup, tmp_path / held.backup.name))
    _change_manifest(lambda part: part["tables"]["source_data"].update(rows=7))(backup)  # type: ignore[index]
    said = refused("restore", backup, "--home", tmp_path / "home")
    assert "the table source_data of the database warehouse is not what was backed up" in said
    home = Home.at(tmp_path / "home")
    assert not home.postgres.exists() and not (home.path / "restoring").exists()


def test_data_that_are_there_are_replaced_only_if_that_is_asked_for(
    held: BackupContents, tmp_path: Path
) -> None:
    home = Home.at(tmp_path / "home")
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("18\n")
    assert "holds data already" in refused("restore", held.backup, "--home", home.path)
    assert (home.postgres / "PG_VERSION").exists()


def test_a_running_platform_is_backed_up_and_never_restored_into(platform: Platform, tmp_path: Path) -> None:
    platform.wait_until_healthy()
    home = platform.home.path
    told = [done("backup", "--home", home, "--output", tmp_path, "--keep", "1") for _ in range(2)]
    [backup] = tmp_path.iterdir()
    assert told[1].startswith(str(backup)) and "removed" in told[1]
    assert "is whole" in done("backup", "--verify", backup)
    assert "in use by another" in refused("restore", backup, "--home", home, "--force")


def test_databases_elsewhere_are_reached_by_their_owners_urls(held: BackupContents, tmp_path: Path) -> None:
    """As for containers and RDS: no superuser, and new, empty databases to restore into."""
    assert "REGISTRU_USERS_OWNER_URL is not set" in registru("backup", "--external").stderr
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
        redis.set("of other data", "1")

        restored = registru("restore", held.backup, "--external", **environment)
        assert restored.returncode == 0, restored.stderr
        assert not redis.exists("of other data")
        again = registru("restore", held.backup, "--external", **environment)
        assert "the database users is not empty" in again.stderr
        backed_up = registru("backup", "--external", "--output", tmp_path / "backups", **environment)
        assert backed_up.returncode == 0, backed_up.stderr
        migrated = registru("migrate", "--external", **environment)
        assert f"warehouse: at revision {revisions(WAREHOUSE_MIGRATIONS)[-1]}" in migrated.stdout
    [backup] = (tmp_path / "backups").iterdir()
    first, second = read_manifest(held.backup), read_manifest(backup)
    assert (
        second.part(database_roles.WAREHOUSE_DATABASE).tables
        == first.part(database_roles.WAREHOUSE_DATABASE).tables
    )
    assert (
        second.part(database_roles.DAGSTER_DATABASE).tables
        == first.part(database_roles.DAGSTER_DATABASE).tables
    )
