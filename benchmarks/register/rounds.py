"""The measurements: each reader reads the same file in a process of its own."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.command import log_progress
from benchmarks.machine import Machine
from benchmarks.register.large_file import write_large_register
from benchmarks.register.register_readers import WAYS

_TITLE_HEADER_AND_LAST_ROW = 3


@dataclass(frozen=True)
class RegisterPlan:
    """Size of the benchmark: companies in the file, and rounds; and the readers to compare."""

    companies: int = 300_000
    rounds: int = 3
    ways: tuple[str, ...] = tuple(WAYS)


@dataclass
class RegisterReport:
    """All results by reader, with one value per round: seconds of CPU time, and peak memory in megabytes."""

    machine: Machine
    plan: RegisterPlan
    file_megabytes: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    megabytes: dict[str, list[float]] = field(default_factory=dict)


def measure(plan: RegisterPlan) -> RegisterReport:
    """Run the benchmark; report progress on standard error."""
    report = RegisterReport(Machine.current(), plan)
    with tempfile.TemporaryDirectory(prefix="registru-bench-") as folder:
        log_progress(f"writing {plan.companies} companies")
        path = write_large_register(Path(folder) / "register.xlsx", plan.companies)
        report.file_megabytes = round(path.stat().st_size / 1024**2, 1)
        for number in range(plan.rounds):
            log_progress(f"round {number + 1} of {plan.rounds}")
            for way in plan.ways:
                _read(report, way, path)
    return report


def _read(report: RegisterReport, way: str, path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.register.register_readers", way, str(path)]
    done = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    expected = report.plan.companies + _TITLE_HEADER_AND_LAST_ROW
    if done["rows"] != expected:
        raise SystemExit(f"{way} read {done['rows']} rows of {expected}")
    report.seconds.setdefault(way, []).append(done["seconds"])
    report.megabytes.setdefault(way, []).append(done["megabytes"])
