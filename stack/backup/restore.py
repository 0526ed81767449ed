"""Restores a backup into a home, as a whole or not at all, or into empty databases elsewhere."""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from stack import orphan_processes, postgres
from stack.accounts import reset_operator_password
from stack.backup.contents import contents_of, tables_of
from stack.backup.manifest import BackupPart, Manifest, verify
from stack.backup.programs import restore
from stack.command_line import Progress
from stack.databases import MIGRATIONS, OwnedDatabase, postgres_alone
from stack.home import Home, locked
from stack.migrations import migrate_all
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.schema import database_roles
from warehouse.schema.revision_check import revisions

_END_SESSIONS = "UPDATE sessions SET ended_at = now(), ended_by = 'restored' WHERE ended_at IS NULL"
_LOG_RESTORE = "INSERT INTO audit_log (event, detail) VALUES ('restored', :detail)"


def restore_home(folder: Path, home: Home, *, force: bool, report_progress: Progress) -> Manifest:
    """Replace a home's data with a backup and return the backup's manifest.

    The backup is restored next to the home's data. Each table is compared with the manifest before the data is
    replaced.

    Args:
        folder: The backup.
        home: The home. No platform may run there.
        force: Whether data that the home already holds may be replaced.
        report_progress: Shows the step that begins.

    Raises:
        StackError: The backup is damaged or too new, the home is in use, or it holds data and `force` is false. The
            home's data is unchanged then.
    """
    report_progress("verifying the backup")
    manifest = verify(folder)
    check_version(manifest)
    with locked(home):
        orphan_processes.terminate_orphans(home)
        if (home.postgres / "PG_VERSION").exists() and not force:
            raise StackError(
                f"{home.path} already holds data; choose another --home, or replace the data with --force"
            )
        staging = home.path / "restoring"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _fill(folder, manifest, home, Home.at(staging), report_progress)
            _replace(home, staging / "postgres")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        if manifest.site is not None:
            home.site.write_text(f"{manifest.site}\n")
    return manifest


def _fill(folder: Path, manifest: Manifest, home: Home, staging: Home, report_progress: Progress) -> None:
    secrets = load_or_create(home.secrets)
    # Called for its side effect: it lets the user that runs PostgreSQL enter the home, which contains the staging
    # folder.
    postgres.unprivileged_prefix(home)
    postgres.prepare(staging, secrets)
    with postgres_alone(staging, secrets, mark=home) as databases:
        restore_databases(folder, manifest, databases, report_progress)
        [users] = [database for database in databases if database.name == database_roles.USERS_DATABASE]
        reset_operator_password(users.url, secrets)


def _replace(home: Home, data: Path) -> None:
    """Replace a home's PostgreSQL data with the restored data, and remove its Redis data."""
    if home.postgres.exists():
        shutil.rmtree(home.replaced, ignore_errors=True)
    home.restored_marker.touch(mode=0o600)
    if home.postgres.exists():
        home.postgres.rename(home.replaced)
    data.rename(home.postgres)
    shutil.rmtree(home.valkey, ignore_errors=True)
    shutil.rmtree(home.replaced, ignore_errors=True)


def restore_external(
    folder: Path, databases: Sequence[OwnedDatabase], *, report_progress: Progress
) -> Manifest:
    """Restore a backup into empty databases, delete all keys of their Redis, and return the backup's manifest.

    The database roles must exist. Raises StackError. If a database is not empty, nothing is written.
    """
    report_progress("verifying the backup")
    manifest = verify(folder)
    check_version(manifest)
    redis = [_redis(name) for name in ("REGISTRU_REDIS_STATE_URL", "REGISTRU_REDIS_CACHE_URL")]
    try:
        for database in databases:
            _refuse_unless_empty(database)
        restore_databases(folder, manifest, databases, report_progress)
        for client in redis:
            client.flushdb()
    except OperationalError as error:
        raise StackError(f"a database cannot be reached: {error.orig}") from error
    except RedisError as error:
        raise StackError(
            f"the databases are restored, but Redis could not be emptied ({error}); empty it by hand"
        ) from error
    return manifest


def _redis(setting: str) -> Redis:
    url = os.environ.get(setting)
    if not url:
        raise StackError(
            f"{setting} is not set; restoring also empties Redis, which holds state of the old data"
        )
    return Redis.from_url(url)


def _refuse_unless_empty(database: OwnedDatabase) -> None:
    with database.engine().connect() as connection:
        if tables := tables_of(connection):
            raise StackError(
                f"database {database.name} is not empty (it has the table {tables[0]}); restore into new databases,"
                " then point the settings at them"
            )


def restore_databases(
    folder: Path, manifest: Manifest, databases: Sequence[OwnedDatabase], report_progress: Progress
) -> None:
    """Fill empty databases, compare them with the manifest, migrate them and end all sessions."""
    for database in databases:
        part = manifest.part(database.name)
        report_progress(
            f"restoring database {database.name} ({sum(t.rows for t in part.tables.values())} rows)"
        )
        restore(database.url, folder / part.file)
        _compare(database, part)
    migrate_all(databases)
    [users] = [database for database in databases if database.name == database_roles.USERS_DATABASE]
    with users.engine().begin() as connection:
        # A session that was ended after the backup was made must not become valid again.
        ended = connection.execute(text(_END_SESSIONS)).rowcount
        detail = f"the backup of {manifest.made_at.isoformat(timespec='seconds')}; {ended} sessions ended"
        connection.execute(text(_LOG_RESTORE), {"detail": detail})


def _compare(database: OwnedDatabase, part: BackupPart) -> None:
    with database.engine().begin() as connection:
        restored = contents_of(connection)
    for table in sorted(restored.keys() | part.tables.keys()):
        if restored.get(table) != part.tables.get(table):
            raise StackError(
                f"table {table} of database {database.name} differs from the backup:"
                f" {_described(restored.get(table))} instead of {_described(part.tables.get(table))}"
            )


def _described(contents: object) -> str:
    return str(contents) if contents is not None else "no table"


def check_version(manifest: Manifest) -> None:
    """Raise StackError if a database of the backup has a revision that this version does not know."""
    for part in manifest.parts:
        scripts = MIGRATIONS.get(part.database)
        is_known = (
            part.revision is None or part.revision in revisions(scripts)
            if scripts
            else _dagster_knows(part.revision)
        )
        if not is_known:
            raise StackError(
                f"database {part.database} of the backup is at revision {part.revision}, which this version does not"
                f" know; restore it with the version that made it ({manifest.software}) or a newer one"
            )


def _dagster_knows(revision: str | None) -> bool:
    spec = importlib.util.find_spec("dagster")
    assert spec is not None and spec.submodule_search_locations
    versions = Path(spec.submodule_search_locations[0]) / "_core" / "storage" / "alembic" / "versions"
    return revision is None or any(revision in path.name for path in versions.glob("*.py"))
