"""Makes a backup: takes a snapshot of each database, dumps it, and counts and hashes its rows."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from stack.backup.contents import contents_of
from stack.backup.manifest import MANIFEST, BackupPart, Manifest, read_manifest, sha256_of
from stack.backup.programs import dump
from stack.command_line import Progress
from stack.databases import OwnedDatabase
from stack.stack_error import StackError

_NAME = re.compile(r"registru-\d{8}T\d{6}Z")
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class _Snapshot:
    """One state of a database, which pg_dump can read by its id while the connection's transaction is open."""

    database: OwnedDatabase
    connection: Connection
    id: str
    at: datetime


def make_backup(
    databases: Sequence[OwnedDatabase],
    output: Path,
    *,
    site: str | None,
    report_progress: Progress = lambda _: None,
) -> Path:
    """Write a backup into a new folder under `output` and return the folder. Only its owner can read it.

    The folder gets its final name only after everything is written, so a folder with such a name is complete.

    Args:
        databases: The databases in the order of `DATABASES`, in their owners' roles.
        output: The folder that holds backups. It is created if it does not exist.
        site: The site whose companies the warehouse holds, for the manifest.
        report_progress: Shows the step that begins.

    Raises:
        StackError: A database does not answer, `pg_dump` fails, or a file cannot be written.
    """
    made_at = datetime.now(UTC)
    folder = output / f"registru-{made_at:%Y%m%dT%H%M%SZ}"
    if folder.exists():
        raise StackError(f"{folder} already exists; run the command again in a second")
    unfinished = output / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        output.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.mkdir(mode=0o700)
        with _snapshots(databases) as snapshots:
            server = str(snapshots[0].connection.scalar(text("SHOW server_version")))
            parts = tuple(_write_part(snapshot, unfinished, report_progress) for snapshot in snapshots)
        manifest = Manifest(
            software=version("registru"), made_at=made_at, postgres=server, site=site, parts=parts
        )
        _write(unfinished / MANIFEST, manifest.model_dump_json(indent=2).encode())
        os.replace(unfinished, folder)  # noqa: PTH105 - one atomic call
        _sync(output)
    except OSError as error:
        raise StackError(f"{error.filename or output}: {error.strerror or error}") from error
    except OperationalError as error:
        raise StackError(f"a database cannot be reached: {error.orig}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _snapshots(databases: Sequence[OwnedDatabase]) -> Iterator[list[_Snapshot]]:
    """Take a snapshot of each database, one directly after the other, in the order of `DATABASES`.

    A row in one database may refer to a row in a database that comes later in this order. So the snapshot of the
    database that comes later must not be older.
    """
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(
                database.engine()
                .execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                .connect()
            )
            for database in databases
        ]
        yield [
            _export_snapshot(database, connection)
            for database, connection in zip(databases, connections, strict=True)
        ]


def _export_snapshot(database: OwnedDatabase, connection: Connection) -> _Snapshot:
    # The transaction stays open until all databases are dumped. A server may end idle transactions sooner.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    row = connection.execute(text("SELECT pg_export_snapshot() AS id, clock_timestamp() AS at")).one()
    return _Snapshot(database, connection, row.id, row.at)


def _write_part(snapshot: _Snapshot, folder: Path, report_progress: Progress) -> BackupPart:
    name = snapshot.database.name
    report_progress(f"writing database {name}")
    path = folder / f"{name}.dump"
    os.close(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    )  # pg_dump keeps the mode of an existing file
    dump(snapshot.database.url, path, snapshot=snapshot.id)
    _sync(path)
    return BackupPart(
        database=name,
        file=path.name,
        size=path.stat().st_size,
        sha256=sha256_of(path),
        revision=_revision(snapshot.connection),
        snapshot_at=snapshot.at,
        tables=contents_of(snapshot.connection),
    )


def _revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    return revision


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Flush a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(output: Path, *, keep: int) -> list[Path]:
    """Remove all backups in a folder except the newest `keep`, and return their paths. Remove no other files there."""
    backups = sorted(path for path in output.iterdir() if _NAME.fullmatch(path.name) and _is_backup(path))
    old = backups[: max(len(backups) - keep, 0)]
    for folder in old:
        shutil.rmtree(folder)
    return old


def _is_backup(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except StackError:
        return False
    return True
