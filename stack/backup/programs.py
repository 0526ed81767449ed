"""Runs pg_dump and pg_restore. The password is passed in the environment, not on the command line."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from stack.postgres import program
from stack.stack_error import StackError

_LONGEST_ERROR = 600


def dump(url: str, path: Path, *, snapshot: str | None = None) -> None:
    """Dump a database to a file in pg_dump's custom format. `snapshot` is the id of an exported snapshot."""
    options = [f"--snapshot={snapshot}"] if snapshot is not None else []
    _run("pg_dump", url, ["--format=custom", *options, f"--file={path}"])


def restore(url: str, path: Path) -> None:
    """Fill an empty database from a dump file, in one transaction."""
    _run("pg_restore", url, ["--single-transaction", "--exit-on-error", str(path)])


def _program(name: str) -> str:
    """Return the path of a program: in the folder REGISTRU_POSTGRES_CLIENT or, if that is not set, in the wheel.

    The wheel's programs do not support TLS.
    """
    folder = os.environ.get("REGISTRU_POSTGRES_CLIENT")
    return str(Path(folder) / name if folder else program(name))


def _run(name: str, url: str, arguments: Sequence[str]) -> None:
    parsed = make_url(url)
    # Without the password: every user of the machine can read command lines.
    address = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
    ).render_as_string()
    # PGSSL* variables tell libpq how to verify the server's certificate.
    environment = {
        key: value for key, value in os.environ.items() if key == "PATH" or key.startswith("PGSSL")
    }
    if parsed.password is not None:
        environment["PGPASSWORD"] = str(parsed.password)
    command = [_program(name), "--no-password", f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(
            f"{name} of database {parsed.database} failed: {done.stderr.strip()[-_LONGEST_ERROR:]}"
        )
