"""Executes the commands of `stack.data_commands`. Its imports are slow, so only these commands import it."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from redis.exceptions import RedisError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from stack import erasure, migrations, retention_command, storage_command, valkey
from stack.backup.make import make_backup, prune
from stack.backup.manifest import MANIFEST, Manifest, sha256_of, verify
from stack.backup.restore import restore_external, restore_home
from stack.command_line import report_progress
from stack.databases import MIGRATIONS, OwnedDatabase, databases_from_environment, open_databases
from stack.home import Home, RunningPlatform
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.evidence.evidence_errors import EvidenceError


def backup(options: argparse.Namespace) -> int:
    """Make a backup, or verify one. Return the exit status."""
    if options.verify is not None:
        print(f"{options.verify} is undamaged: {_summary(verify(options.verify))}")
        return 0
    home = _home(options)
    output = options.output or (
        Path("registru-backups") if home is None else home.path.with_name(f"{home.path.name}-backups")
    )
    with _databases(home) as databases:
        site = home.site.read_text().strip() if home is not None and home.site.exists() else None
        folder = make_backup(databases, output, site=site, report_progress=report_progress)
    print(f"{folder}: {_summary(verify(folder))}\nsha256 of its {MANIFEST}: {sha256_of(folder / MANIFEST)}")
    if options.keep is not None:
        for old in prune(output, keep=options.keep):
            print(f"removed {old}")
    return 0


def _summary(manifest: Manifest) -> str:
    size = sum(part.size for part in manifest.parts) / 2**20
    rows = ", ".join(
        f"{part.database} {sum(table.rows for table in part.tables.values())} rows" for part in manifest.parts
    )
    return f"made at {manifest.made_at.isoformat(timespec='seconds')}, {size:.1f} MiB; {rows}"


def restore(options: argparse.Namespace) -> int:
    """Restore a backup. Return the exit status."""
    if options.external:
        if options.force:
            raise StackError(
                "--force replaces the data of --home only; with --external, the databases have to be empty"
            )
        manifest = restore_external(
            options.backup, databases_from_environment(), report_progress=report_progress
        )
    else:
        home = Home.at(options.home)
        manifest = restore_home(options.backup, home, force=options.force, report_progress=report_progress)
    print(
        f"restored and compared row by row: {_summary(manifest)}\nall sessions have ended; users have to sign in again"
    )
    return 0


def migrate(options: argparse.Namespace) -> int:
    """Migrate the databases. Return the exit status."""
    home = _home(options)
    with _databases(home, tuple(MIGRATIONS)) as databases:
        print(migrations.summary(migrations.migrate_all(databases)))
    return 0


def retention(options: argparse.Namespace) -> int:
    """Count what retention would remove. Return the exit status."""
    with _databases(_home(options)) as databases:
        print(retention_command.summary(databases))
    return 0


def storage(options: argparse.Namespace) -> int:
    """Report the sizes of tables. Return the exit status."""
    home = _home(options)
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    with _databases(home) as databases:
        storage_command.report(databases, home, console)
    return 0


def erase_user(options: argparse.Namespace) -> int:
    """Erase an account. Return the exit status."""
    home, request = _home(options), erasure.ErasureRequest(options.by, options.reason)
    state_url = _redis_url(home, valkey.STATE_DATABASE)
    with _databases(home) as databases:
        done = erasure.erase_user(databases, state_url, options.username, request)
    print(
        f"erased {options.username}; the pseudonym {done.pseudonym} replaces the name in {done.entries} entries of the"
        f" audit log, {done.captures} captures and {done.runs} runs"
    )
    return 0


def erase_person(options: argparse.Namespace) -> int:
    """Erase a person's name. Return the exit status."""
    home, request = _home(options), erasure.ErasureRequest(options.by, options.reason)
    cache_url = _redis_url(home, valkey.CACHE_DATABASE)
    with _databases(home) as databases:
        done = erasure.erase_person(
            databases,
            cache_url,
            idno=options.idno,
            name=options.name,
            request=request,
            evidence=options.evidence,
        )
    captures = f"removed {done.bodies} bodies" if options.evidence else "the captures still contain the name"
    if done.shared:
        captures += f"; kept {done.shared} bodies with the name that captures of other companies also use"
    print(
        f"erased the name from {done.parties} rows of the record and {done.changes} changes of {options.idno}, removed"
        f" {done.texts} texts that quote it, and suppressed it, so that no later capture brings it back; {captures}"
    )
    return 0


_REDIS_SETTINGS = {
    valkey.STATE_DATABASE: "REGISTRU_REDIS_STATE_URL",
    valkey.CACHE_DATABASE: "REGISTRU_REDIS_CACHE_URL",
}


def _redis_url(home: Home | None, database: int) -> str:
    """Return the URL of a Redis database from which an erasure removes data.

    Args:
        home: The home, where the platform has to run; None to read the URL from the environment.
        database: The number of the logical database: `valkey.STATE_DATABASE` or `valkey.CACHE_DATABASE`.
    """
    if home is not None:
        return valkey.url(RunningPlatform.of(home).ports["valkey"], load_or_create(home.secrets), database)
    setting = _REDIS_SETTINGS[database]
    if setting not in os.environ:
        raise StackError(f"{setting} is not set; an erasure also removes cached data from Redis")
    return os.environ[setting]


def _home(options: argparse.Namespace) -> Home | None:
    return None if options.external else Home.at(options.home)


@contextlib.contextmanager
def _databases(
    home: Home | None, names: tuple[str, ...] | None = None
) -> Iterator[tuple[OwnedDatabase, ...]]:
    try:
        if home is None:
            yield databases_from_environment(names) if names else databases_from_environment()
            return
        with open_databases(home) as databases:
            yield databases
    except OperationalError as error:
        raise StackError(f"a database cannot be reached: {error.orig}") from error
    except RedisError as error:
        raise StackError(f"Redis cannot be reached: {error}") from error
    except EvidenceError as error:
        raise StackError(str(error)) from error
