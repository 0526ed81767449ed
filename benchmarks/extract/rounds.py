"""The measurements: all ways in turns, so that other load on the machine affects all ways equally."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from redis import Redis

from benchmarks.extract.meter import Meter
from benchmarks.extract.ways import ExtractSetup, Way
from benchmarks.machine import Machine
from standin.site_facts import make_idno
from tests.stores import running_valkey

_OTHERS_FROM = 1000


@dataclass(frozen=True)
class ExtractPlan:
    """Size of the benchmark."""

    rounds: int = 3
    companies: int = 8
    tabs: tuple[int, ...] = (1, 2, 4, 8)
    latencies_ms: tuple[int, ...] = (0, 300)


@dataclass
class ExtractRow:
    """Results of one way at one latency of the site's API; the lists have one value per round."""

    latency_ms: int
    name: str
    tabs: int
    bodies: int
    per_second: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    """CPU seconds per page."""
    other_cores: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ExtractReport:
    """All results, and the machine."""

    machine: Machine
    plan: ExtractPlan
    rows: tuple[ExtractRow, ...]

    def row(self, latency_ms: int, name: str, tabs: int) -> ExtractRow:
        """Return the results of the way `name` with this number of tabs at this latency of the API."""
        wanted = (latency_ms, name, tabs)
        return next(row for row in self.rows if (row.latency_ms, row.name, row.tabs) == wanted)


def measure(plan: ExtractPlan, ways: Sequence[Way]) -> ExtractReport:
    """Run the benchmark."""
    rows = {
        (latency, way): ExtractRow(latency, way.name, way.tabs, way.bodies)
        for latency in plan.latencies_ms
        for way in ways
    }
    with _running_backends(plan) as backends:
        for number in range(1, plan.rounds + 1):
            for (latency, way), row in rows.items():
                meter = Meter(warm_up=way.tabs, pages=plan.companies, foreign=backends.foreign)
                way.measure(_idnos(way, plan), ExtractSetup(backends.sites[latency], backends.redis, meter))
                _record(row, meter, plan.companies)
                _print_round(number, row)
    return ExtractReport(Machine.current(), plan, tuple(rows.values()))


def _idnos(way: Way, plan: ExtractPlan) -> list[str]:
    """Return the companies to fetch, in order: some for the warm-up, the measured ones, and some more.

    The measured companies are the same for all ways. Those after them keep all tabs busy until the measurement ends.
    """
    others = range(_OTHERS_FROM, _OTHERS_FROM + 2 * way.tabs - 1)
    numbers = [*others[: way.tabs], *range(plan.companies), *others[way.tabs :]]
    return [make_idno(number) for number in numbers]


@dataclass(frozen=True)
class _Backends:
    """The servers that a measurement needs: one site per latency, and a Valkey."""

    sites: dict[int, str]
    redis: Redis
    foreign: frozenset[int]
    """Pids of the sites and of Valkey."""


@contextmanager
def _running_backends(plan: ExtractPlan) -> Iterator[_Backends]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(running_valkey(folder))
        sites = {latency: stack.enter_context(_site(latency)) for latency in plan.latencies_ms}
        foreign = frozenset(child.pid for child in psutil.Process().children(recursive=True))
        yield _Backends(sites, redis, foreign)


@contextmanager
def _site(latency_ms: int) -> Iterator[str]:
    """Yield the URL of a stand-in site in a separate process, so that it does not slow down this interpreter."""
    command = [sys.executable, "-m", "standin", "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def _record(row: ExtractRow, meter: Meter, companies: int) -> None:
    row.per_second.append(companies / meter.seconds)
    row.cpu_seconds.append(meter.cpu_seconds / companies)
    row.other_cores.append(meter.other_cores)


def _print_round(number: int, row: ExtractRow) -> None:
    print(
        f"round {number}, {row.latency_ms} ms, {row.name}, {row.tabs} tabs: {row.per_second[-1]:.2f} companies/s,"
        f" {row.cpu_seconds[-1]:.2f} CPU s per page, other processes kept {row.other_cores[-1]:.1f} cores busy",
        flush=True,
    )
