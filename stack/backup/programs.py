"""PostgreSQL's own pg_dump and pg_restore, told the password past their command line."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from stack.errors import StackError
from stack.postgres import program

_LONGEST_ERROR = 600


def dump(url: str, path: Path, *, snapshot: str | None = None) -> None:
    """Write a database, as an exported snapshot of it has it if one is named, into a file in pg_dump's own format."""
    state = [f"--snapshot={snapshot}"] if snapshot is not None else []
    _run("pg_dump", url, ["--format=custom", *state, f"--file={path}"])


def restore(url: str, path: Path) -> None:
    """Fill an empty database from such a file; all of it, or nothing."""
    _run("pg_restore", url, ["--single-transaction", "--exit-on-error", str(path)])


def _run(name: str, url: str, arguments: Sequence[str]) -> None:
    parsed = make_url(url)
    # Without a password: whoever lists processes sees command lines.
    address = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
    ).render_as_string()
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    if parsed.password is not None:
        environment["PGPASSWORD"] = str(parsed.password)
    command = [str(program(name)), "--no-password", f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(
            f"{name} of the database {parsed.database} failed: {done.stderr.strip()[-_LONGEST_ERROR:]}"
        )
