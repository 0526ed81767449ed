"""The folder that holds all state, and who may use it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.stack_error import StackError

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_HOME = Path(".registru")
DEMO_HOME = Path(".registru-demo")
"""Made-up companies never share a warehouse with real ones."""


@dataclass(frozen=True)
class Home:
    """Where things are under one home."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """Return the home at `path`, its folders made, readable by nobody else."""
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
        """One log file a process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """What is only good while the platform runs."""
        return self.path / "run"

    @property
    def work(self) -> Path:
        """Browser profiles, captures on their way."""
        return self.path / "work"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.path / "dagster"

    @property
    def compute_logs(self) -> Path:
        """What runs print."""
        return self.path / "compute_logs"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's data."""
        return self.path / "valkey"

    @property
    def secrets(self) -> Path:
        """Keys and passwords, made up at the first start."""
        return self.path / "secrets.json"

    @property
    def secret_files(self) -> Path:
        """What each service is told of them: a folder a service, a file a setting."""
        return self.run / "secrets"

    @property
    def site(self) -> Path:
        """The site whose companies are held here."""
        return self.path / "site"

    @property
    def replaced(self) -> Path:
        """The data before a restore, for the moment in which the restored ones take their place."""
        return self.path / "replaced"

    @property
    def restored(self) -> Path:
        """There from a restore until the next start: the runs that Dagster knows of are not alive."""
        return self.path / "restored"

    @property
    def state(self) -> Path:
        """How to reach the platform that runs here."""
        return self.run / "state.json"


@dataclass(frozen=True)
class Running:
    """A platform that runs: its process, its addresses."""

    pid: int
    gateway_url: str
    dagster_url: str
    site_url: str
    supervisor_socket: str
    ports: dict[str, int]

    def save(self, home: Home) -> None:
        """Write it down for the other commands."""
        unfinished = home.state.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(self)))
        os.replace(unfinished, home.state)  # noqa: PTH105 - one atomic call

    @classmethod
    def of(cls, home: Home) -> "Running":
        """Return what runs at a home. Raises StackError if nothing does."""
        if not is_locked(home) or not home.state.exists():
            raise StackError(f"nothing runs at {home.path}; start it with `registru up --home {home.path}`")
        return cls(**json.loads(home.state.read_text()))


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold a home for this process alone; the kernel lets go of it however the process ends."""
    with (home.path / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StackError(
                f"{home.path} is in use by another `registru up` (process {holder});"
                " stop that one with `registru down`, or choose another folder with --home"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def is_locked(home: Home) -> bool:
    """Tell whether a platform holds a home."""
    path = home.path / "lock"
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
