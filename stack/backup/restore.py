"""Restores a backup: into a home (all of it, or nothing), or into empty databases elsewhere."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from stack import orphan_processes, postgres
from stack.accounts import renew_operator
from stack.backup.contents import contents_of, tables_of
from stack.backup.manifest import BackupPart, Manifest, verify
from stack.backup.programs import restore
from stack.databases import MIGRATIONS, OwnedDatabase, postgres_alone
from stack.home import Home, locked
from stack.migrations import migrate_all
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.schema import database_roles
from warehouse.schema.revision_check import revisions

Say = Callable[[str], None]
_END_SESSIONS = "UPDATE sessions SET ended_at = now(), ended_by = 'restored' WHERE ended_at IS NULL"
_WRITE_DOWN = "INSERT INTO audit_log (event, detail) VALUES ('restored', :detail)"


def restore_home(folder: Path, home: Home, *, force: bool, say: Say) -> Manifest:
    """Put a backup in the place of what a home holds, and return its manifest.

    It is restored beside the home's own data and compared row by row with what was backed up; only then does it take
    their place. Raises StackError; the home then is as it was.
    """
    say("verifying the backup")
    manifest = verify(folder)
    check_version(manifest)
    with locked(home):
        orphan_processes.end_leftovers(home)
        if (home.postgres / "PG_VERSION").exists() and not force:
            raise StackError(
                f"{home.path} holds data already; choose another --home, or replace them with --force"
            )
        staging = home.path / "restoring"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _fill(folder, manifest, home, Home.at(staging), say)
            _replace(home, staging / "postgres")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        if manifest.site is not None:
            home.site.write_text(f"{manifest.site}\n")
    return manifest


def _fill(folder: Path, manifest: Manifest, home: Home, staging: Home, say: Say) -> None:
    secrets = load_or_create(home.secrets)
    postgres.unprivileged(home)  # lets the user that runs PostgreSQL pass through to the folder below
    postgres.prepare(staging, secrets)
    with postgres_alone(staging, secrets, mark=home) as databases:
        restore_databases(folder, manifest, databases, say)
        [users] = [each for each in databases if each.name == database_roles.USERS_DATABASE]
        renew_operator(users.url, secrets)


def _replace(home: Home, data: Path) -> None:
    """Let restored data take the place of a home's own, and of what Redis remembers of those."""
    if home.postgres.exists():
        shutil.rmtree(home.replaced, ignore_errors=True)
    home.restored.touch(mode=0o600)
    if home.postgres.exists():
        home.postgres.rename(home.replaced)
    data.rename(home.postgres)
    shutil.rmtree(home.valkey, ignore_errors=True)
    shutil.rmtree(home.replaced, ignore_errors=True)


def restore_elsewhere(folder: Path, databases: Sequence[OwnedDatabase], *, say: Say) -> Manifest:
    """Restore a backup into empty databases, and empty the Redis beside them; return the backup's manifest.

    The roles have to be there. Raises StackError, before anything is written if a database is not empty.
    """
    say("verifying the backup")
    manifest = verify(folder)
    check_version(manifest)
    redis = [_redis(name) for name in ("REGISTRU_REDIS_STATE_URL", "REGISTRU_REDIS_CACHE_URL")]
    try:
        for database in databases:
            _refuse_unless_empty(database)
        restore_databases(folder, manifest, databases, say)
        for each in redis:
            each.flushdb()
    except OperationalError as error:
        raise StackError(f"a database does not answer: {error.orig}") from error
    except RedisError as error:
        raise StackError(
            f"the databases are restored, but Redis has to be emptied by hand: {error}"
        ) from error
    return manifest


def _redis(setting: str) -> Redis:
    url = os.environ.get(setting)
    if not url:
        raise StackError(f"{setting} is not set: what Redis remembers of other data has to be emptied")
    return Redis.from_url(url)


def _refuse_unless_empty(database: OwnedDatabase) -> None:
    with database.engine().connect() as connection:
        if found := tables_of(connection):
            raise StackError(
                f"the database {database.name} is not empty (it has the table {found[0]}): restore into new ones, and"
                " point the settings at them"
            )


def restore_databases(folder: Path, manifest: Manifest, databases: Sequence[OwnedDatabase], say: Say) -> None:
    """Fill empty databases, compare them with what was backed up, bring them forwards, end all sessions."""
    for database in databases:
        part = manifest.part(database.name)
        say(f"restoring the database {database.name} ({sum(t.rows for t in part.tables.values())} rows)")
        restore(database.url, folder / part.file)
        _compare(database, part)
    migrate_all(databases)
    [users] = [each for each in databases if each.name == database_roles.USERS_DATABASE]
    with users.engine().begin() as connection:
        # One that was ended after the backup was made must not come back to life.
        ended = connection.execute(text(_END_SESSIONS)).rowcount
        detail = f"the backup of {manifest.made_at.isoformat(timespec='seconds')}; {ended} sessions ended"
        connection.execute(text(_WRITE_DOWN), {"detail": detail})


def _compare(database: OwnedDatabase, part: BackupPart) -> None:
    with database.engine().begin() as connection:
        held = contents_of(connection)
    for table in sorted(held.keys() | part.tables.keys()):
        if held.get(table) != part.tables.get(table):
            raise StackError(
                f"the table {table} of the database {database.name} is not what was backed up:"
                f" {_told(held.get(table))} instead of {_told(part.tables.get(table))}"
            )


def _told(contents: object) -> str:
    return str(contents) if contents is not None else "none"


def check_version(manifest: Manifest) -> None:
    """Raise StackError if a backup is of newer tables than this code knows."""
    for part in manifest.parts:
        scripts = MIGRATIONS.get(part.database)
        is_known = (
            part.revision is None or part.revision in revisions(scripts)
            if scripts
            else _dagster_knows(part.revision)
        )
        if not is_known:
            raise StackError(
                f"the backup's database {part.database} is at revision {part.revision}, which this version does not"
                f" know: restore it with the version that made it ({manifest.software}) or a newer one"
            )


def _dagster_knows(revision: str | None) -> bool:
    spec = importlib.util.find_spec("dagster")
    assert spec is not None and spec.submodule_search_locations
    versions = Path(spec.submodule_search_locations[0]) / "_core" / "storage" / "alembic" / "versions"
    return revision is None or any(revision in path.name for path in versions.glob("*.py"))
