"""The commands that care for what is stored: backup, restore, migrate, retention, storage, erasure."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from redis.exceptions import RedisError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from stack import erasure, migrations, retention_command, storage_command, valkey
from stack.backup.make import make_backup, prune
from stack.backup.manifest import MANIFEST, Manifest, sha256_of, verify
from stack.backup.restore import restore_elsewhere, restore_home
from stack.databases import MIGRATIONS, OwnedDatabase, of_environment, served
from stack.home import Home, Running
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.evidence.evidence_errors import EvidenceError
from warehouse.idno import InvalidIdno, parse_idno

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
_EXTERNAL = (
    "the databases that REGISTRU_USERS_OWNER_URL, REGISTRU_DAGSTER_DATABASE_URL and REGISTRU_WAREHOUSE_OWNER_URL"
    " name (containers, RDS), not those of --home"
)


def add_commands(add: AddCommand) -> None:
    """Add the commands to the parser of `registru`."""
    backup = add("backup", _backup, "write the three databases into a new folder, while everything runs")
    backup.add_argument("--external", action="store_true", help=_EXTERNAL)
    backup.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where backups are kept (default: HOME-backups, beside --home)",
    )
    backup.add_argument(
        "--keep", type=_count, metavar="N", help="then remove all backups there but the newest N"
    )
    backup.add_argument(
        "--verify", type=Path, metavar="BACKUP", help="make none: say whether this one is whole"
    )
    restore = add("restore", _restore, "put a backup in the place of a home's data, or into empty databases")
    restore.add_argument("backup", type=Path, metavar="BACKUP", help="a folder that `registru backup` made")
    restore.add_argument("--external", action="store_true", help=_EXTERNAL)
    restore.add_argument("--force", action="store_true", help="replace the data that --home holds")
    for name, handler, text in (
        ("migrate", _migrate, "bring the tables to what this version needs"),
        ("retention", _retention, "say what the settings keep no longer (nothing is removed by it)"),
        ("storage", _storage, "say what takes how much room, and how fast it grows"),
    ):
        add(name, handler, text).add_argument("--external", action="store_true", help=_EXTERNAL)

    user = add("erase-user", _erase_user, "delete an account, and its name wherever that would stay")
    user.add_argument("username")
    person = add("erase-person", _erase_person, "take a person's name out of a company's record and history")
    person.add_argument("idno", type=_idno, metavar="IDNO")
    person.add_argument("name", metavar="NAME", help="as the record has it, in any order or case")
    person.add_argument(
        "--evidence",
        action="store_true",
        help="remove the contents of captures that hold it, too; the source must not show it any more",
    )
    for parser in (user, person):
        parser.add_argument("--by", required=True, metavar="ADMIN", help="the administrator who orders it")
        parser.add_argument(
            "--reason",
            required=True,
            help="whose request it is, of when, and its legal basis; it is written down",
        )
        parser.add_argument("--external", action="store_true", help=_EXTERNAL)


def _idno(text: str) -> str:
    try:
        return parse_idno(text)
    except InvalidIdno as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of backups: 1 or more")
    return int(text)


def _backup(options: argparse.Namespace) -> int:
    if options.verify is not None:
        print(f"{options.verify} is whole: {_told(verify(options.verify))}")
        return 0
    home = _home(options)
    output = options.output or (
        Path("registru-backups") if home is None else home.path.with_name(f"{home.path.name}-backups")
    )
    with _databases(home) as databases:
        site = home.site.read_text().strip() if home is not None and home.site.exists() else None
        folder = make_backup(databases, output, site=site, say=_say)
    print(f"{folder}: {_told(verify(folder))}\nsha256 of its {MANIFEST}: {sha256_of(folder / MANIFEST)}")
    if options.keep is not None:
        for old in prune(output, keep=options.keep):
            print(f"removed {old}")
    return 0


def _told(manifest: Manifest) -> str:
    size = sum(part.size for part in manifest.parts) / 2**20
    rows = ", ".join(
        f"{part.database} {sum(table.rows for table in part.tables.values())} rows" for part in manifest.parts
    )
    return f"made at {manifest.made_at.isoformat(timespec='seconds')}, {size:.1f} MiB; {rows}"


def _restore(options: argparse.Namespace) -> int:
    if options.external:
        if options.force:
            raise StackError("--force is for --home; with --external, restore into new, empty databases")
        manifest = restore_elsewhere(options.backup, of_environment(), say=_say)
    else:
        home = Home.at(options.home)
        manifest = restore_home(options.backup, home, force=options.force, say=_say)
    print(f"restored, and every row compared: {_told(manifest)}\nall sessions are ended; sign in again")
    return 0


def _migrate(options: argparse.Namespace) -> int:
    home = _home(options)
    with _databases(home, tuple(MIGRATIONS)) as databases:
        print(migrations.told(migrations.migrate_all(databases)))
    return 0


def _retention(options: argparse.Namespace) -> int:
    with _databases(_home(options)) as databases:
        print(retention_command.told(databases))
    return 0


def _storage(options: argparse.Namespace) -> int:
    home = _home(options)
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    with _databases(home) as databases:
        storage_command.report(databases, home, console)
    return 0


def _erase_user(options: argparse.Namespace) -> int:
    home, request = _home(options), erasure.ErasureRequest(options.by, options.reason)
    state_url = _redis_url(home, valkey.STATE_DATABASE)
    with _databases(home) as databases:
        done = erasure.erase_user(databases, state_url, options.username, request)
    print(
        f"{options.username} is erased; {done.pseudonym} stands in {done.entries} entries of the audit log,"
        f" {done.captures} captures and {done.runs} runs"
    )
    return 0


def _erase_person(options: argparse.Namespace) -> int:
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
    captures = f"{done.bodies} bodies of captures went" if options.evidence else "the captures still hold it"
    if done.shared:
        captures += (
            f"; {done.shared} that captures of other companies share hold all words of the name too, and stay"
        )
    print(
        f"erased from {done.parties} rows of the record and {done.changes} changes of {options.idno}, and kept out"
        f" from now on; {captures}"
    )
    return 0


_REDIS_SETTINGS = {
    valkey.STATE_DATABASE: "REGISTRU_REDIS_STATE_URL",
    valkey.CACHE_DATABASE: "REGISTRU_REDIS_CACHE_URL",
}


def _redis_url(home: Home | None, database: int) -> str:
    """Where Redis remembers what is to be erased: it has to be told, so that the platform has to run."""
    if home is not None:
        return valkey.url(Running.of(home).ports["valkey"], load_or_create(home.secrets), database)
    setting = _REDIS_SETTINGS[database]
    if setting not in os.environ:
        raise StackError(f"{setting} is not set: what Redis remembers has to be erased too")
    return os.environ[setting]


def _home(options: argparse.Namespace) -> Home | None:
    return None if options.external else Home.at(options.home)


@contextlib.contextmanager
def _databases(
    home: Home | None, names: tuple[str, ...] | None = None
) -> Iterator[tuple[OwnedDatabase, ...]]:
    try:
        if home is None:
            yield of_environment(names) if names else of_environment()
            return
        with served(home) as databases:
            yield databases
    except OperationalError as error:
        raise StackError(f"a database does not answer: {error.orig}") from error
    except RedisError as error:
        raise StackError(f"Redis does not answer: {error}") from error
    except EvidenceError as error:
        raise StackError(str(error)) from error


def _say(message: str) -> None:
    print(f"registru: {message} ...", file=sys.stderr, flush=True)
