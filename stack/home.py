"""The home: the folder that holds all state of a platform, and the lock that protects it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.stack_error import StackError
from warehouse.atomic_file import write_atomically

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_HOME = Path(".registru")
DEMO_HOME = Path(".registru-demo")
"""A separate home, because made-up companies must not share a warehouse with real ones."""


@dataclass(frozen=True)
class Home:
    """The paths below one home."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """Return the home at `path`. Create its folders, which only their owner can read."""
        home = cls(path.expanduser().resolve())
        try:
            home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (home.logs, home.run, home.work, home.dagster, home.compute_logs):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StackError(f"--home {home.path}: {error.strerror}") from error
        return home

    @property
    def logs(self) -> Path:
        """The folder of log files, one for each process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """The folder of files that are valid only while the platform runs."""
        return self.path / "run"

    @property
    def work(self) -> Path:
        """The folder of browser profiles and of captures that are not stored yet."""
        return self.path / "work"

    @property
    def browser_profiles(self) -> Path:
        """The folder of browser profiles; without a running platform, it has only those that a crash left behind."""
        return self.work / "chrome"

    @property
    def dagster(self) -> Path:
        """The folder for DAGSTER_HOME."""
        return self.path / "dagster"

    @property
    def compute_logs(self) -> Path:
        """The folder for the output of runs."""
        return self.path / "compute_logs"

    @property
    def postgres(self) -> Path:
        """The folder of PostgreSQL's data."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """The folder of Valkey's data."""
        return self.path / "valkey"

    @property
    def secrets(self) -> Path:
        """The file of keys and passwords, which are generated at the first start."""
        return self.path / "secrets.json"

    @property
    def secret_files(self) -> Path:
        """The folder of the secrets that each service gets: a subfolder for each service, a file for each setting."""
        return self.run / "secrets"

    @property
    def site(self) -> Path:
        """The file that names the site from which the companies in this home come."""
        return self.path / "site"

    @property
    def replaced(self) -> Path:
        """The folder that holds the old PostgreSQL data while a restore replaces it."""
        return self.path / "replaced"

    @property
    def restored_marker(self) -> Path:
        """A file that a restore creates and the next start removes. While it exists, no unfinished run is alive."""
        return self.path / "restored"

    @property
    def state(self) -> Path:
        """The file that says how to reach the running platform."""
        return self.run / "state.json"


@dataclass(frozen=True)
class RunningPlatform:
    """A running platform: the process id of its command, and its addresses."""

    pid: int
    gateway_url: str
    dagster_url: str
    site_url: str
    supervisor_socket: str
    ports: dict[str, int]

    def save(self, home: Home) -> None:
        """Write this description to the home, where other commands read it."""
        write_atomically(home.state, json.dumps(asdict(self)))

    @classmethod
    def of(cls, home: Home) -> "RunningPlatform":
        """Return the platform that runs at a home. Raises StackError if no platform runs there."""
        if not is_locked(home) or not home.state.exists():
            raise StackError(
                f"no platform runs at {home.path}; start one with `registru up --home {home.path}`"
            )
        return cls(**json.loads(home.state.read_text()))


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Lock a home for this process. If the process is killed, the kernel releases the lock."""
    with (home.path / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StackError(
                f"{home.path} is in use by another `registru` command (process {holder});"
                " stop a running platform with `registru down`, or choose another folder with --home"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def is_locked(home: Home) -> bool:
    """Return whether a process has locked a home."""
    path = home.path / "lock"
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
