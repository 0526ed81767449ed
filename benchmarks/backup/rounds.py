"""The measurement: a home full of captures is backed up and restored, by us and by the bare programs, in turns."""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sqlalchemy import text

from benchmarks.machine import Machine
from benchmarks.storage.captures import copies, visited
from pipeline.extract.capture import Capture
from pipeline.load import store_capture
from stack import postgres
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.backup.programs import run
from stack.backup.restore import restore_home
from stack.databases import Owned, postgres_alone
from stack.home import Home
from stack.secrets import load_or_create
from warehouse import roles
from warehouse.migrate import migrate

BACKUP, VERIFY, RESTORE = "backup", "verify", "restore"
DUMP, PG_RESTORE = "pg_dump", "pg_restore"
ALONE = {BACKUP: DUMP, RESTORE: PG_RESTORE}
"""What does no more than the necessary, beside what of ours."""
_A_TRANSACTION = 500


@dataclass(frozen=True)
class Plan:
    """Companies that a real Chrome visits, companies alike to them with one capture each, and rounds."""

    visited: int = 24
    companies: int = 10_000
    rounds: int = 3


@dataclass
class Report:
    """What came out: megabytes of the database and of its backup, seconds by what was done, a value a round."""

    machine: Machine
    plan: Plan
    database_megabytes: float = 0.0
    backup_megabytes: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def middle(self, what: str) -> float:
        """Return the median of the seconds that something took."""
        return median(self.seconds[what])

    def ratio(self, what: str) -> float:
        """Return how many times as long ours took as what does no more than the necessary."""
        return self.middle(what) / self.middle(ALONE[what])


def measure(plan: Plan) -> Report:
    """Measure everything; says what it is at on standard error."""
    report = Report(Machine.this(), plan)
    _say(f"visiting {plan.visited} companies twice")
    originals = [first for first, _ in visited(plan.visited)]
    with tempfile.TemporaryDirectory(prefix="registru-bench-") as name:
        folder = Path(name)
        home = Home.at(folder / "home")
        secrets = load_or_create(home.secrets)
        postgres.prepare(home, secrets)
        with postgres_alone(home, secrets, mark=home) as databases:
            warehouse = _filled(databases, copies(originals, plan.companies), plan.companies)
            report.database_megabytes = _megabytes(warehouse)
            for number in range(plan.rounds):
                _say(f"round {number + 1} of {plan.rounds}")
                report.backup_megabytes = _round(report, databases, warehouse, folder / str(number))
    return report


def _filled(databases: Sequence[Owned], captures: Iterable[Capture], count: int) -> Owned:
    """Bring databases to today's version, and store captures; return the warehouse."""
    _say(f"storing {count} captures")
    for database in databases:
        if database.scripts is not None:
            migrate(scripts=database.scripts, url=database.url)
    [warehouse] = [each for each in databases if each.name == roles.WAREHOUSE_DATABASE]
    with warehouse.engine().connect() as connection:
        for number, capture in enumerate(captures):
            store_capture(connection, capture, run_id=f"run {number // 50}", requested_by="schedule")
            if number % _A_TRANSACTION == 0:
                connection.commit()
        connection.commit()
    return warehouse


def _megabytes(warehouse: Owned) -> float:
    with warehouse.engine().connect() as connection:
        size: int = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return size / 1e6


def _round(report: Report, databases: Sequence[Owned], warehouse: Owned, folder: Path) -> float:
    """Take each measure once; return the megabytes of the backup."""
    folder.mkdir()

    def timed(what: str, began: float) -> None:
        report.seconds.setdefault(what, []).append(time.perf_counter() - began)

    began = time.perf_counter()
    backup = make_backup(databases, folder / "backups", site=None)
    timed(BACKUP, began)
    began = time.perf_counter()
    verify(backup)
    timed(VERIFY, began)
    began = time.perf_counter()
    restore_home(backup, Home.at(folder / "restored"), force=False, say=lambda _: None)
    timed(RESTORE, began)

    dump = folder / "alone.dump"
    began = time.perf_counter()
    run("pg_dump", warehouse.url, ["--format=custom", f"--file={dump}"])
    timed(DUMP, began)
    with _empty_warehouse(Home.at(folder / "alone")) as other:
        began = time.perf_counter()
        run("pg_restore", other.url, ["--single-transaction", "--exit-on-error", str(dump)])
        timed(PG_RESTORE, began)
    return sum(each.stat().st_size for each in backup.iterdir()) / 1e6


@contextmanager
def _empty_warehouse(home: Home) -> Iterator[Owned]:
    """Yield an empty database on a server of its own, which ends with the block."""
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets)
    with postgres_alone(home, secrets, mark=home) as databases:
        [warehouse] = [each for each in databases if each.name == roles.WAREHOUSE_DATABASE]
        yield warehouse


def _say(message: str) -> None:
    print(f"{message} ...", file=sys.stderr, flush=True)
