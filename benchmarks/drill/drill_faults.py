"""The parts of the platform, and the trouble they get into: killed, paused, hung, restarted."""

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

from stack.home import Running
from stack.supervisor import Supervisor
from tests.platform_harness import Platform, wait_for
from warehouse.contract import RunKind
from warehouse.schema import database_roles

_TO_BE_FOUND_SECONDS = 60
"""A run, or its browser, is waited for so long: the load makes one every other second."""
_JUST_BEGUN = timedelta(seconds=0.2)


class Trouble(StrEnum):
    """What happens to a part."""

    KILL = "killed"
    PAUSE = "paused"
    HANG = "hung"
    """Paused, and never told to go on."""
    RESTART = "restarted"


@dataclass(frozen=True)
class DrilledPart:
    """A part of the platform: how its processes are found, and what can happen to it.

    `carries_visits`: a visit that is under way may be lost with it, and is then made again. Of all other parts no
    second visit is forgiven.
    """

    name: str
    find: Callable[[Platform], Sequence[psutil.Process]]
    troubles: tuple[Trouble, ...] = (Trouble.KILL, Trouble.PAUSE)
    pause_seconds: float = 15
    carries_visits: bool = False


@dataclass(frozen=True)
class DrillFault:
    """One part in one trouble."""

    part: DrilledPart
    trouble: Trouble

    @property
    def name(self) -> str:
        """How it is called in the report."""
        if self.trouble is Trouble.PAUSE:
            return f"{self.part.name} {self.trouble} {self.part.pause_seconds:g} s"
        return f"{self.part.name} {self.trouble}"

    @property
    def carries_visits(self) -> bool:
        """Whether a visit under way may be lost. (Who restarts the server of runs ends the runs.)"""
        return self.part.carries_visits or (self.part.name == "runs" and self.trouble is Trouble.RESTART)

    def find(self, platform: Platform) -> Sequence[psutil.Process]:
        """Return the processes that it is about, once they are there."""
        return wait_for(
            self.part.name,
            lambda: self.part.find(platform),
            seconds=_TO_BE_FOUND_SECONDS,
            pause_seconds=0.02,
        )

    def strike(self, platform: Platform, processes: Sequence[psutil.Process]) -> None:
        """Do it to these processes; return when it is over."""
        if self.trouble is Trouble.RESTART:
            supervisor_of(platform).restart(self.part.name)
        elif self.trouble is Trouble.KILL:
            _send(processes, signal.SIGKILL)
        else:
            _send(processes, signal.SIGSTOP)
            if self.trouble is Trouble.PAUSE:
                try:
                    time.sleep(self.part.pause_seconds)
                finally:
                    _send(processes, signal.SIGCONT)


def supervisor_of(platform: Platform) -> Supervisor:
    """Return the supervisor of a platform."""
    return Supervisor(Running.of(platform.home).supervisor_socket)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # ended by itself, or with another one
            process.send_signal(number)


def _supervised(platform: Platform, *, name: str) -> Sequence[psutil.Process]:
    """The process of a program, and of PostgreSQL all those that it has started."""
    pid = supervisor_of(platform).pids().get(name)
    try:
        process = psutil.Process(pid) if pid else None
        children = process.children(recursive=True) if process and name == "postgres" else []
    except psutil.NoSuchProcess:
        return []
    return [process, *children] if process else []


def _workers(platform: Platform) -> Sequence[psutil.Process]:
    """The processes of all runs, if a visit has just begun: then there is something to lose."""
    documents = platform.site.documents()
    is_visiting = documents and datetime.now(UTC) - documents[-1].time < _JUST_BEGUN
    return platform.runs() if is_visiting else []


def _workers_for_people(platform: Platform) -> Sequence[psutil.Process]:
    """Those of the runs for one company each, which somebody waits for."""
    query = text("SELECT run_id FROM launches WHERE kind = :kind AND run_id IS NOT NULL")
    workers = _workers(platform)
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).connect() as connection:
        titles = {f"dagster-run {run_id}" for run_id in connection.scalars(query, {"kind": RunKind.PERSON})}
    return [worker for worker in workers if _title(worker) in titles]


def _title(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline()).strip()
    return ""


def _browser_of_a_run(platform: Platform) -> Sequence[psutil.Process]:
    """The Chrome that a run has started for itself."""
    runs = {process.pid for process in platform.runs()}
    return _chrome_of(driver for driver in platform.processes("chromedriver") if _parent(driver) in runs)


def _browser_that_is_lent(platform: Platform) -> Sequence[psutil.Process]:
    """A Chrome that is kept running, and at work for a run."""
    lenders = {process.pid for process in platform.processes("pipeline.extract.browser.browser_lender")}
    ports = {port for run in platform.runs() for port in _ports_spoken_to(run)}
    return _chrome_of(
        driver
        for driver in platform.processes("chromedriver")
        if _parent(driver) in lenders and _port(driver) in ports
    )


def _chrome_of(drivers: Iterable[psutil.Process]) -> Sequence[psutil.Process]:
    """The first of these drivers' Chrome, with all its processes."""
    for driver in drivers:
        with contextlib.suppress(psutil.Error):
            if chrome := driver.children(recursive=True):
                return chrome
    return []


def _ports_spoken_to(process: psutil.Process) -> set[int]:
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


_ALL = (Trouble.KILL, Trouble.PAUSE, Trouble.RESTART)


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
        # Bulk work may take four hours by its limit (dagster.yaml).
        DrilledPart("workers-for-people", _workers_for_people, (Trouble.HANG,), carries_visits=True),
        # Longer than a command to the driver may take.
        DrilledPart("chrome-lent", _browser_that_is_lent, pause_seconds=20, carries_visits=True),
        DrilledPart("chrome-own", _browser_of_a_run, pause_seconds=20, carries_visits=True),
        _program("browsers", carries_visits=True),
        # Longer than all tries of one command take.
        _program("valkey", pause_seconds=25, carries_visits=True),
        # Longer than a statement may take.
        _program("postgres", pause_seconds=45, carries_visits=True),
    )
}
"""By name; named as the supervisor does where it starts them."""

ALL = tuple(DrillFault(part, trouble) for part in PARTS.values() for trouble in part.troubles)
QUICK = tuple(DrillFault(PARTS[name], Trouble.KILL) for name in ("api", "workers", "valkey"))
