"""The commands that maintain stored data: backup, restore, migrate, retention, storage, erasure."""

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
from stack.backup.restore import restore_external, restore_home
from stack.command_line import idno_argument, report_progress
from stack.databases import MIGRATIONS, OwnedDatabase, databases_from_environment, open_databases
from stack.home import Home, RunningPlatform
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.evidence.evidence_errors import EvidenceError

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
_EXTERNAL = (
    "use other databases than those of --home, for example in containers or on RDS; the environment variables"
    " REGISTRU_USERS_OWNER_URL, REGISTRU_DAGSTER_DATABASE_URL and REGISTRU_WAREHOUSE_OWNER_URL hold their URLs"
)


def add_commands(add: AddCommand) -> None:
    """Add the commands to the parser of `registru`."""
    backup = add(
        "backup", _backup, "write the three databases to a new folder; the platform may keep running"
    )
    backup.add_argument("--external", action="store_true", help=_EXTERNAL)
    backup.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder in which the new folder is created (default: next to --home, with -backups added to its name,"
        " such as .registru-backups; with --external: registru-backups in the working folder)",
    )
    backup.add_argument(
        "--keep",
        type=_backup_count,
        metavar="N",
        help="after the backup, remove all backups in the folder of --output except the newest N (default: keep all)",
    )
    backup.add_argument(
        "--verify",
        type=Path,
        metavar="BACKUP",
        help="check that the backup in the folder BACKUP is undamaged; make no new backup",
    )
    restore = add(
        "restore",
        _restore,
        "restore a backup into --home, where no platform may run, or with --external into empty databases; data that"
        " the home already holds is replaced only with --force",
    )
    restore.add_argument("backup", type=Path, metavar="BACKUP", help="folder that `registru backup` wrote")
    restore.add_argument("--external", action="store_true", help=_EXTERNAL)
    restore.add_argument(
        "--force",
        action="store_true",
        help="replace all data that --home already holds; without it, the command refuses",
    )
    for name, handler, text in (
        (
            "migrate",
            _migrate,
            "migrate the database tables to the revision that this version of Registru needs",
        ),
        (
            "retention",
            _retention,
            "count the data that the retention settings would remove, without removing it",
        ),
        ("storage", _storage, "show the size of the tables and how fast the data grows"),
    ):
        add(name, handler, text).add_argument("--external", action="store_true", help=_EXTERNAL)

    user = add(
        "erase-user",
        _erase_user,
        "delete an account, and replace its username with a random pseudonym in the audit log, in captures and in runs;"
        " needs the running platform or --external",
    )
    user.add_argument("username", metavar="USERNAME", help="username of the account to erase")
    person = add(
        "erase-person",
        _erase_person,
        "remove a person's name permanently from a company's record and history; needs the running platform or"
        " --external",
    )
    person.add_argument("idno", type=idno_argument, metavar="IDNO", help="the company's number, 13 digits")
    person.add_argument(
        "name",
        metavar="NAME",
        help="the person's name, spelled as in the record; the order of words and capital letters do not matter",
    )
    person.add_argument(
        "--evidence",
        action="store_true",
        help="also remove the stored pages of the company that contain the name, with their screenshots; if the newest"
        " capture contains the name, the command refuses and erases nothing, because the site still shows the name",
    )
    for parser in (user, person):
        parser.add_argument(
            "--by",
            required=True,
            metavar="ADMIN",
            help="username of the administrator who orders the erasure",
        )
        parser.add_argument(
            "--reason",
            required=True,
            help="who requested the erasure, when, and the legal basis; stored in the audit log",
        )
        parser.add_argument("--external", action="store_true", help=_EXTERNAL)


def _backup_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of backups; write a whole number, 1 or more"
        )
    return int(text)


def _backup(options: argparse.Namespace) -> int:
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


def _restore(options: argparse.Namespace) -> int:
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


def _migrate(options: argparse.Namespace) -> int:
    home = _home(options)
    with _databases(home, tuple(MIGRATIONS)) as databases:
        print(migrations.summary(migrations.migrate_all(databases)))
    return 0


def _retention(options: argparse.Namespace) -> int:
    with _databases(_home(options)) as databases:
        print(retention_command.summary(databases))
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
        f"erased {options.username}; the pseudonym {done.pseudonym} replaces the name in {done.entries} entries of the"
        f" audit log, {done.captures} captures and {done.runs} runs"
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
    captures = f"removed {done.bodies} bodies" if options.evidence else "the captures still contain the name"
    if done.shared:
        captures += f"; kept {done.shared} bodies with the name that captures of other companies also use"
    print(
        f"erased the name from {done.parties} rows of the record and {done.changes} changes of {options.idno}, and"
        f" suppressed it, so that no later capture brings it back; {captures}"
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
