"""Makes a backup: a snapshot of each database, dumped, counted and hashed, then given its name all at once."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from stack.backup.contents import contents_of
from stack.backup.manifest import MANIFEST, BackupPart, Manifest, read_manifest, sha256_of
from stack.backup.programs import dump
from stack.databases import OwnedDatabase
from stack.stack_error import StackError

_NAME = re.compile(r"registru-\d{8}T\d{6}Z")
_UNFINISHED = ".unfinished-"
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Snapshot:
    """One state of a database, held for as long as the connection's transaction is open."""

    database: OwnedDatabase
    connection: Connection
    id: str
    at: datetime


def make_backup(
    databases: Sequence[OwnedDatabase], output: Path, *, site: str | None, say: Say = lambda _: None
) -> Path:
    """Write a backup into a new folder under `output`, readable by nobody else, and return the folder.

    It has its name only when all of it is written. Raises StackError.
    """
    made_at = datetime.now(UTC)
    folder = output / f"registru-{made_at:%Y%m%dT%H%M%SZ}"
    if folder.exists():
        raise StackError(f"{folder} exists already; wait a second")
    unfinished = output / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        output.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.mkdir(mode=0o700)
        with _snapshots(databases) as snapshots:
            server = str(snapshots[0].connection.scalar(text("SHOW server_version")))
            parts = tuple(_write_part(snapshot, unfinished, say) for snapshot in snapshots)
        manifest = Manifest(
            software=version("registru"), made_at=made_at, postgres=server, site=site, parts=parts
        )
        _write(unfinished / MANIFEST, manifest.model_dump_json(indent=2).encode())
        os.replace(unfinished, folder)  # noqa: PTH105 - one atomic call
        _sync(output)
    except OSError as error:
        raise StackError(f"{error.filename or output}: {error.strerror or error}") from error
    except OperationalError as error:
        raise StackError(f"a database does not answer: {error.orig}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _snapshots(databases: Sequence[OwnedDatabase]) -> Iterator[list[_Snapshot]]:
    """Take a snapshot of each, at once one after the other, in the order in which one database leads to another.

    So nothing in a later one is missing that an earlier one speaks of.
    """
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(
                each.engine()
                .execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                .connect()
            )
            for each in databases
        ]
        yield [
            _take(database, connection) for database, connection in zip(databases, connections, strict=True)
        ]


def _take(database: OwnedDatabase, connection: Connection) -> _Snapshot:
    # It is held until all is dumped, which may take longer than a server lets idle transactions live.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    row = connection.execute(text("SELECT pg_export_snapshot() AS id, clock_timestamp() AS at")).one()
    return _Snapshot(database, connection, row.id, row.at)


def _write_part(snapshot: _Snapshot, folder: Path, say: Say) -> BackupPart:
    name = snapshot.database.name
    say(f"writing the database {name}")
    path = folder / f"{name}.dump"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # pg_dump keeps the mode it finds
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
    found: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    return found


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Have the disk keep a file or a folder before it is counted on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(output: Path, *, keep: int) -> list[Path]:
    """Remove all backups in a folder but the newest `keep`, and return them. Nothing else there is touched."""
    backups = sorted(path for path in output.iterdir() if _NAME.fullmatch(path.name) and _is_one(path))
    old = backups[: max(len(backups) - keep, 0)]
    for folder in old:
        shutil.rmtree(folder)
    return old


def _is_one(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except StackError:
        return False
    return True
