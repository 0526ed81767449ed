"""PostgreSQL's own pg_dump and pg_restore, told the password past their command line."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from stack.postgres import program
from stack.stack_error import StackError

_LONGEST_ERROR = 600


def dump(url: str, path: Path, *, snapshot: str | None = None) -> None:
    """Write a database, as an exported snapshot of it has it if one is named, into a file in pg_dump's own format."""
    state = [f"--snapshot={snapshot}"] if snapshot is not None else []
    _run("pg_dump", url, ["--format=custom", *state, f"--file={path}"])


def restore(url: str, path: Path) -> None:
    """Fill an empty database from such a file; all of it, or nothing."""
    _run("pg_restore", url, ["--single-transaction", "--exit-on-error", str(path)])


def _program(name: str) -> str:
    """Return the program: the wheel's, or one of the folder REGISTRU_POSTGRES_CLIENT (the wheel's know no TLS)."""
    folder = os.environ.get("REGISTRU_POSTGRES_CLIENT")
    return str(Path(folder) / name if folder else program(name))


def _run(name: str, url: str, arguments: Sequence[str]) -> None:
    parsed = make_url(url)
    # Without a password: whoever lists processes sees command lines.
    address = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
    ).render_as_string()
    # How a server is to be believed is told by libpq's own variables.
    environment = {
        key: value for key, value in os.environ.items() if key == "PATH" or key.startswith("PGSSL")
    }
    if parsed.password is not None:
        environment["PGPASSWORD"] = str(parsed.password)
    command = [_program(name), "--no-password", f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(
            f"{name} of the database {parsed.database} failed: {done.stderr.strip()[-_LONGEST_ERROR:]}"
        )
