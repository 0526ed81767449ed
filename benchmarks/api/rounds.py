"""The measurements: in each round, each number of clients loads both servers in turn."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.api.api_load import MeasuredLoad
from benchmarks.api.servers import OURS, SMALLEST, Servers, running_servers
from benchmarks.command import log_progress
from benchmarks.machine import Machine


@dataclass(frozen=True)
class ApiPlan:
    """Size of the benchmark: rounds, seconds per measurement, and numbers of concurrent clients."""

    rounds: int = 5
    seconds: float = 3.0
    clients: tuple[int, ...] = (1, 16, 64)


@dataclass(frozen=True)
class ApiRow:
    """Results of one server with one number of clients, one value per round."""

    server: str
    clients: int
    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, measured: MeasuredLoad) -> None:
        """Add the results of a round."""
        self.per_second.append(measured.per_second)
        self.p50_ms.append(measured.p50_ms)
        self.p99_ms.append(measured.p99_ms)


@dataclass(frozen=True)
class ApiReport:
    """All results. `cores` describes how the machine's cores were divided between the processes."""

    machine: Machine
    plan: ApiPlan
    rows: list[ApiRow]
    kilobytes_a_record: float
    cores: str

    def ratio(self, clients: int, measure: str) -> float:
        """Return the ratio of the API's median to that of the smallest endpoint; `measure` is a field of ApiRow."""
        values = {row.server: median(getattr(row, measure)) for row in self.rows if row.clients == clients}
        return float(values[OURS] / values[SMALLEST])


def measure(plan: ApiPlan) -> ApiReport:
    """Run the benchmark; report progress on standard error."""
    before = os.sched_getaffinity(0)
    server_cores, other_cores = _divided(sorted(before))
    rows = [ApiRow(server, clients) for clients in plan.clients for server in (OURS, SMALLEST)]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="registru-bench-") as folder,
            running_servers(Path(folder), server_cores=server_cores, other_cores=other_cores) as servers,
        ):
            for number in range(plan.rounds):
                log_progress(f"round {number + 1} of {plan.rounds}")
                for row in rows:
                    row.add(measure_load(servers, row, plan.seconds))
            kilobytes = servers.kilobytes_a_record
    finally:
        os.sched_setaffinity(0, before)
    divided = "the server on one core, clients and stores on the others"
    return ApiReport(
        Machine.current(),
        plan,
        rows,
        kilobytes,
        divided if server_cores != other_cores else "all share one core",
    )


def _divided(cores: list[int]) -> tuple[set[int], set[int]]:
    """Divide the cores: one for the measured server, the rest for all other processes, so that they do not compete."""
    return {cores[0]}, set(cores[1:]) or {cores[0]}


def measure_load(servers: Servers, row: ApiRow, seconds: float) -> MeasuredLoad:
    """Load one server for some seconds with a row's number of clients. Raises SystemExit after a wrong response."""
    command = [sys.executable, "-m", "benchmarks.api.api_load", str(servers.ports[row.server])]
    given = json.dumps({"tokens": servers.tokens, "idnos": servers.idnos})
    done = subprocess.run(
        [*command, str(row.clients), str(seconds)],
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{row.server}, {row.clients} clients: the measurement failed")
    return MeasuredLoad(**json.loads(done.stdout))
