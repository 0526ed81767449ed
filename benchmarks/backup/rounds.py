"""The measurements: back up and restore a home full of captures, in turns with Registru and with the bare programs."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sqlalchemy import text

from benchmarks.command import log_progress
from benchmarks.machine import Machine
from benchmarks.storage.sample_captures import copies, visit_twice
from pipeline.extract.page_capture import Capture
from pipeline.records.capture_store import store_capture
from stack import postgres
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.backup.programs import dump, restore
from stack.backup.restore import restore_home
from stack.databases import OwnedDatabase, postgres_alone
from stack.home import Home
from stack.migrations import migrate_all
from stack.secrets import load_or_create
from warehouse.schema import database_roles

BACKUP, VERIFY, RESTORE = "backup", "verify", "restore"
DUMP, PG_RESTORE = "pg_dump", "pg_restore"
ALONE = {BACKUP: DUMP, RESTORE: PG_RESTORE}
"""The bare programs that backup and restore are compared with. The verification is compared with nothing."""
_A_TRANSACTION = 500


@dataclass(frozen=True)
class BackupPlan:
    """Size of the benchmark: companies that Chrome visits, copies to store (one capture each), and rounds."""

    visited: int = 24
    companies: int = 10_000
    rounds: int = 3


@dataclass
class BackupReport:
    """All results: the sizes of database and backup in MB, and for each operation the seconds of each round."""

    machine: Machine
    plan: BackupPlan
    database_megabytes: float = 0.0
    backup_megabytes: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def middle(self, what: str) -> float:
        """Return the median of an operation's seconds."""
        return median(self.seconds[what])

    def ratio(self, what: str) -> float:
        """Return the ratio of an operation's median to that of the bare program."""
        return self.middle(what) / self.middle(ALONE[what])


def measure(plan: BackupPlan) -> BackupReport:
    """Run the benchmark; report progress on standard error."""
    report = BackupReport(Machine.current(), plan)
    log_progress(f"visiting {plan.visited} companies twice")
    originals = [first for first, _ in visit_twice(plan.visited)]
    with tempfile.TemporaryDirectory(prefix="registru-bench-") as name:
        folder = Path(name)
        with _server(folder / "home") as databases:
            migrate_all(databases)
            log_progress(f"storing {plan.companies} captures")
            _store(_warehouse_of(databases), copies(originals, plan.companies))
            report.database_megabytes = _megabytes(_warehouse_of(databases))
            for number in range(plan.rounds):
                log_progress(f"round {number + 1} of {plan.rounds}")
                report.backup_megabytes = _round(report, databases, folder / str(number))
    return report


@contextmanager
def _server(folder: Path) -> Iterator[Sequence[OwnedDatabase]]:
    """Start a server and yield its empty databases; stop the server when the block ends."""
    home = Home.at(folder)
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets)
    with postgres_alone(home, secrets, mark=home) as databases:
        yield databases


def _warehouse_of(databases: Sequence[OwnedDatabase]) -> OwnedDatabase:
    return next(each for each in databases if each.name == database_roles.WAREHOUSE_DATABASE)


def _store(warehouse: OwnedDatabase, captures: Iterable[Capture]) -> None:
    with warehouse.engine().connect() as connection:
        for number, capture in enumerate(captures):
            store_capture(connection, capture, run_id=f"run {number // 50}", requested_by="schedule")
            if number % _A_TRANSACTION == 0:
                connection.commit()
        connection.commit()


def _megabytes(warehouse: OwnedDatabase) -> float:
    with warehouse.engine().connect() as connection:
        size: int = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return size / 1e6


def _round(report: BackupReport, databases: Sequence[OwnedDatabase], folder: Path) -> float:
    """Measure each operation once; return the size of the backup in megabytes."""
    folder.mkdir()
    with _timed(report, BACKUP):
        backup = make_backup(databases, folder / "backups", site=None)
    with _timed(report, VERIFY):
        verify(backup)
    with _timed(report, RESTORE):
        restore_home(backup, Home.at(folder / "restored"), force=False, report_progress=lambda _: None)

    alone = folder / "alone.dump"
    with _timed(report, DUMP):
        dump(_warehouse_of(databases).url, alone)
    with _server(folder / "alone") as empty, _timed(report, PG_RESTORE):
        restore(_warehouse_of(empty).url, alone)
    return sum(each.stat().st_size for each in backup.iterdir()) / 1e6


@contextmanager
def _timed(report: BackupReport, what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    report.seconds.setdefault(what, []).append(time.perf_counter() - began)
