"""The parts of the platform, and the faults that the drill injects: kill, pause, hang, restart."""

import contextlib
import re
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

import psutil
from sqlalchemy import text

from stack.home import RunningPlatform
from stack.supervisor import Supervisor
from tests.platform_harness import Platform
from tests.polling import wait_for
from warehouse.contract import RunKind
from warehouse.schema import database_roles

_FIND_TIMEOUT_SECONDS = 60
"""Timeout for finding the process of a run or its browser. The load starts a run about every two seconds."""
_JUST_STARTED = timedelta(seconds=0.2)


class FaultKind(StrEnum):
    """Kinds of faults."""

    KILL = "killed"
    PAUSE = "paused"
    HANG = "hung"
    """The process is paused and never resumed."""
    RESTART = "restarted"


@dataclass(frozen=True)
class DrilledPart:
    """A part of the platform: how to find its processes, and the faults to inject.

    `carries_visits` is true if a fault of the part can interrupt a visit, so that the company is visited again. For all
    other parts, a second visit of a company is a problem.
    """

    name: str
    find: Callable[[Platform], Sequence[psutil.Process]]
    fault_kinds: tuple[FaultKind, ...] = (FaultKind.KILL, FaultKind.PAUSE)
    pause_seconds: float = 15
    carries_visits: bool = False


@dataclass(frozen=True)
class DrillFault:
    """One kind of fault of one part."""

    part: DrilledPart
    kind: FaultKind

    @property
    def name(self) -> str:
        """The fault's name in the report."""
        if self.kind is FaultKind.PAUSE:
            return f"{self.part.name} {self.kind} {self.part.pause_seconds:g} s"
        return f"{self.part.name} {self.kind}"

    @property
    def carries_visits(self) -> bool:
        """Whether the fault can interrupt a visit. A restart of the part "runs" can, because it ends all runs."""
        return self.part.carries_visits or (self.part.name == "runs" and self.kind is FaultKind.RESTART)

    def find(self, platform: Platform) -> Sequence[psutil.Process]:
        """Wait until the part has processes; return them as targets of the fault."""
        return wait_for(
            self.part.name,
            lambda: self.part.find(platform),
            seconds=_FIND_TIMEOUT_SECONDS,
            pause_seconds=0.02,
        )

    def inject(self, platform: Platform, processes: Sequence[psutil.Process]) -> None:
        """Inject the fault into these processes. After a pause, resume them; after a hang, do not."""
        if self.kind is FaultKind.RESTART:
            supervisor_of(platform).restart(self.part.name)
        elif self.kind is FaultKind.KILL:
            _send(processes, signal.SIGKILL)
        else:
            _send(processes, signal.SIGSTOP)
            if self.kind is FaultKind.PAUSE:
                try:
                    time.sleep(self.part.pause_seconds)
                finally:
                    _send(processes, signal.SIGCONT)


def supervisor_of(platform: Platform) -> Supervisor:
    """Return the supervisor of a platform."""
    return Supervisor(RunningPlatform.of(platform.home).supervisor_socket)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # already ended
            process.send_signal(number)


def _supervised(platform: Platform, *, name: str) -> Sequence[psutil.Process]:
    """Return the process of a supervised program; for PostgreSQL, also all of its child processes."""
    pid = supervisor_of(platform).pids().get(name)
    try:
        process = psutil.Process(pid) if pid else None
        children = process.children(recursive=True) if process and name == "postgres" else []
    except psutil.NoSuchProcess:
        return []
    return [process, *children] if process else []


def _workers(platform: Platform) -> Sequence[psutil.Process]:
    """Return the processes of all runs if a visit has just started, so that the fault hits a visit; otherwise []."""
    documents = platform.site.documents()
    is_visiting = documents and datetime.now(UTC) - documents[-1].time < _JUST_STARTED
    return platform.runs() if is_visiting else []


def _single_request_workers(platform: Platform) -> Sequence[psutil.Process]:
    """Return the processes of runs for single requests, if a visit has just started."""
    query = text("SELECT run_id FROM launches WHERE kind = :kind AND run_id IS NOT NULL")
    workers = _workers(platform)
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).connect() as connection:
        titles = {f"dagster-run {run_id}" for run_id in connection.scalars(query, {"kind": RunKind.PERSON})}
    return [worker for worker in workers if _title(worker) in titles]


def _title(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline()).strip()
    return ""


def _own_browser(platform: Platform) -> Sequence[psutil.Process]:
    """Return the processes of a Chrome that a run started itself, instead of using a lent one."""
    runs = {process.pid for process in platform.runs()}
    return _chrome_of(driver for driver in platform.processes("chromedriver") if _parent(driver) in runs)


def _lent_browser(platform: Platform) -> Sequence[psutil.Process]:
    """Return the processes of a Chrome that the lender has lent to a run."""
    lenders = {process.pid for process in platform.processes("pipeline.extract.browser.browser_lender")}
    ports = {port for run in platform.runs() for port in _remote_ports(run)}
    return _chrome_of(
        driver
        for driver in platform.processes("chromedriver")
        if _parent(driver) in lenders and _port(driver) in ports
    )


def _chrome_of(drivers: Iterable[psutil.Process]) -> Sequence[psutil.Process]:
    """Return all processes of one Chrome: that of the first driver with a running Chrome."""
    for driver in drivers:
        with contextlib.suppress(psutil.Error):
            if chrome := driver.children(recursive=True):
                return chrome
    return []


def _remote_ports(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {each.raddr.port for each in process.net_connections("tcp") if each.raddr}
    return set()


def _port(driver: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.Error):
        found = re.search(r"--port=(\d+)", " ".join(driver.cmdline()))
        return int(found[1]) if found else None
    return None


def _parent(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.Error):
        return process.ppid()
    return None


_ALL = (FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART)


def _program(name: str, *, pause_seconds: float = 15, carries_visits: bool = False) -> DrilledPart:
    return DrilledPart(
        name,
        partial(_supervised, name=name),
        _ALL,
        pause_seconds=pause_seconds,
        carries_visits=carries_visits,
    )


PARTS = {
    part.name: part
    for part in (
        _program("gateway"),
        _program("api"),
        _program("webserver"),
        _program("daemon"),
        _program("code"),
        _program("runs"),
        DrilledPart("workers", _workers, carries_visits=True),
        # Hung runs for bulk work are not tested: Dagster ends them only after four hours (dagster.yaml).
        DrilledPart("workers-for-people", _single_request_workers, (FaultKind.HANG,), carries_visits=True),
        # The pause is longer than the timeout of a driver command.
        DrilledPart("chrome-lent", _lent_browser, pause_seconds=20, carries_visits=True),
        DrilledPart("chrome-own", _own_browser, pause_seconds=20, carries_visits=True),
        _program("browsers", carries_visits=True),
        # The pause is longer than all attempts of one Redis command together.
        _program("valkey", pause_seconds=25, carries_visits=True),
        # The pause is longer than the timeout of an SQL statement.
        _program("postgres", pause_seconds=45, carries_visits=True),
    )
}
"""The parts by name. If a part is a program of the supervisor, the program has the same name."""

ALL = tuple(DrillFault(part, kind) for part in PARTS.values() for kind in part.fault_kinds)
QUICK = tuple(DrillFault(PARTS[name], FaultKind.KILL) for name in ("api", "workers", "valkey"))
