"""The commands that maintain stored data: backup, restore, migrate, retention, storage, erasure."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from stack.command_line import idno_argument

Handler = Callable[[argparse.Namespace], int]
AddCommand = Callable[[str, Handler, str], argparse.ArgumentParser]
_EXTERNAL = (
    "use other databases than those of --home, for example in containers or on RDS; the environment variables"
    " REGISTRU_USERS_OWNER_URL, REGISTRU_DAGSTER_DATABASE_URL and REGISTRU_WAREHOUSE_OWNER_URL hold their URLs"
)


def add_commands(add: AddCommand) -> None:
    """Add the commands to the parser of `registru`."""
    backup = add(
        "backup",
        _handler("backup"),
        "write the three databases to a new folder; the platform may keep running",
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
        _handler("restore"),
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
            _handler("migrate"),
            "migrate the database tables to the revision that this version of Registru needs",
        ),
        (
            "retention",
            _handler("retention"),
            "count the data that the retention settings would remove, without removing it",
        ),
        ("storage", _handler("storage"), "show the size of the tables and how fast the data grows"),
    ):
        add(name, handler, text).add_argument("--external", action="store_true", help=_EXTERNAL)

    user = add(
        "erase-user",
        _handler("erase_user"),
        "delete an account, and replace its username with a random pseudonym in the audit log, in captures and in runs;"
        " needs the running platform or --external",
    )
    user.add_argument("username", metavar="USERNAME", help="username of the account to erase")
    person = add(
        "erase-person",
        _handler("erase_person"),
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


def _handler(name: str) -> Handler:
    """Return a function that calls the handler `name` of `stack.data_handlers`, which it imports only then."""

    def handle(options: argparse.Namespace) -> int:
        handler: Handler = getattr(importlib.import_module("stack.data_handlers"), name)
        return handler(options)

    return handle


def _backup_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of backups; write a whole number, 1 or more"
        )
    return int(text)
