"""The measurements: Registru with one process, with two processes, and the plain loop transform the same captures."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from benchmarks.command import log_progress
from benchmarks.machine import Machine
from benchmarks.transform import plain_way
from benchmarks.transform.stored_captures import documents, fill, forget_records
from pipeline.records.capture_store import stale_cohorts
from pipeline.transform.merge import transform
from tests.pipeline.transform.rendered import page_variants, render
from tests.warehouse_server import Databases, running_databases
from warehouse.schema import database_roles

_ALL_VARIANTS = 192
"""Number of combinations of layout, language and variant of the stand-in site; one page is rendered for each."""
_SAMPLE_INTERVAL_SECONDS = 0.05
PLAIN, OURS = "plain loop", "registru"


@dataclass(frozen=True)
class TransformPlan:
    """Size of the benchmark: captures per round, rounds, and captures in the single large run (`many`)."""

    captures: int = 2000
    rounds: int = 3
    many: int = 20_000


@dataclass
class TransformReport:
    """All results. Speeds (captures per second) have one value per round.

    Each key of `per_second` names a way and its number of processes. `peaks` contains the peak memory in megabytes by
    number of captures.
    """

    machine: Machine
    plan: TransformPlan
    kilobytes_a_capture: float = 0.0
    read_per_second: list[float] = field(default_factory=list)
    per_second: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[int, float] = field(default_factory=dict)
    many_per_second: float = 0.0
    nothing_stale_seconds: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The ratio of Registru's median speed with two processes to the median speed of the plain loop."""
        return median(self.per_second[f"{OURS}, 2 processes"]) / median(self.per_second[PLAIN])


def measure(plan: TransformPlan) -> TransformReport:
    """Run the benchmark; report progress on standard error."""
    report = TransformReport(Machine.current(), plan)
    with tempfile.TemporaryDirectory(prefix="registru-bench-") as folder:
        log_progress("rendering pages")
        pages = [
            (page.idno, page.html) for page in render(page_variants(_ALL_VARIANTS), Path(folder) / "chrome")
        ]
        with running_databases(Path(folder) / "data", durable=True) as databases:
            _fill(databases, report, pages, plan.captures)
            for number in range(plan.rounds):
                log_progress(f"round {number + 1} of {plan.rounds}")
                _one_round(databases, report, pages)
            log_progress(f"{plan.many} captures")
            _many(databases, report, pages)
    return report


def _fill(
    databases: Databases, report: TransformReport, pages: Sequence[tuple[str, str]], count: int
) -> None:
    sizes = [
        len(html) + sum(map(len, bodies)) for _, html, bodies in documents(pages, min(count, len(pages)))
    ]
    report.kilobytes_a_capture = round(sum(sizes) / len(sizes) / 1024, 1)
    with databases.unrestricted() as connection:
        connection.exec_driver_sql("TRUNCATE source_data, source_payloads, raw_documents CASCADE")
        fill(connection, documents(pages, count))
        forget_records(connection)
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _one_round(databases: Databases, report: TransformReport, pages: Sequence[tuple[str, str]]) -> None:
    plan = report.plan
    report.read_per_second.append(_read(pages))
    for processes in (1, 2):
        with databases.unrestricted() as connection:
            forget_records(connection)
        seconds, peak = _ours(databases, processes, plan.captures)
        name = f"{OURS}, {processes} process{'es' if processes > 1 else ''}"
        report.per_second.setdefault(name, []).append(plan.captures / seconds)
        if processes == 2:
            report.peaks[plan.captures] = max(peak, report.peaks.get(plan.captures, 0))
    began = time.monotonic()
    count = plain_way.run(databases.url(database_roles.WAREHOUSE_OWNER), documents(pages, plan.captures))
    report.per_second.setdefault(PLAIN, []).append(count / (time.monotonic() - began))


def _read(pages: Sequence[tuple[str, str]]) -> float:
    """Transform documents from memory on one core, without storing the results; return documents per second."""
    made = list(documents(pages, len(pages)))
    began = time.process_time()
    for idno, html, bodies in made:
        transform(idno=idno, html=html.decode(), bodies=list(bodies))
    return len(made) / (time.process_time() - began)


def _ours(databases: Databases, processes: int, expected: int) -> tuple[float, float]:
    """Transform all stale captures; return the seconds, and the peak memory of the processes in MB (PSS)."""
    environment = {**os.environ, "BENCHMARK_URL": databases.url(database_roles.PIPELINE)}
    command = [sys.executable, "-m", "benchmarks.transform.our_way", str(processes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _megabytes(process.pid))
            time.sleep(_SAMPLE_INTERVAL_SECONDS)
        output = process.stdout.read() if process.stdout else ""
    done = json.loads(output) if process.returncode == 0 else {}
    if done.get("companies") != expected:
        raise SystemExit(f"{done.get('companies')} of {expected} captures were transformed")
    return float(done["seconds"]), peak


def _megabytes(pid: int) -> float:
    total = 0
    try:
        this = psutil.Process(pid)
        for process in (this, *this.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:  # a process has ended in the meantime
        pass
    return total / 1024**2


def _many(databases: Databases, report: TransformReport, pages: Sequence[tuple[str, str]]) -> None:
    many = report.plan.many
    _fill(databases, report, pages, many)
    seconds, report.peaks[many] = _ours(databases, 2, many)
    report.many_per_second = many / seconds
    for _ in range(5):
        began = time.monotonic()
        with databases.warehouse() as connection:
            stale = stale_cohorts(connection)
        report.nothing_stale_seconds.append(time.monotonic() - began)
        if stale:
            raise SystemExit(f"still stale: {stale}")
