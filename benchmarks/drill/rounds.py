"""The drill: inject the faults one after another under load, wait for recovery each time, and check all results."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.command import log_progress
from benchmarks.drill.drill_checks import (
    extra_visits,
    final_problems,
    leftover_processes,
    leftovers_after_stop,
    lost_companies,
    unexplained_visits,
    wrong_answers,
)
from benchmarks.drill.drill_faults import ALL, QUICK, DrillFault, FaultKind
from benchmarks.drill.drill_load import Crew, Work
from benchmarks.drill.ledger import Ledger
from benchmarks.drill.samples import Sample, SampleKind, SampleTally, recovered_at, tallies
from benchmarks.machine import Machine
from standin import CASES, CaseName, running_site
from tests.platform_harness import Platform, running_platform
from tests.polling import wait_for

_PEOPLE = 5
_SITE_LATENCY_MS = 300
"""The delay of the site's API. It makes visits slow, so that a fault is likely to happen during one."""
_CALM_SECONDS = 2.0
_RUN_LIMIT_SECONDS = 90
_RECOVER_SECONDS = 120.0
_END_SECONDS = 180.0


@dataclass(frozen=True)
class DrillPlan:
    """The faults to inject, the seed that selects the companies, and whether a round without a fault comes first."""

    faults: tuple[DrillFault, ...] = ALL
    seed: int = 1
    baseline: bool = True

    @classmethod
    def of(cls, parts: list[str], *, quick: bool, seed: int) -> "DrillPlan":
        """Return the plan for the command-line options. If `parts` is empty, all parts are tested."""
        faults = QUICK if quick and not parts else ALL
        if parts:
            faults = tuple(fault for fault in ALL if fault.part.name in parts)
        if parts and quick:
            faults = tuple(fault for fault in faults if fault.kind is FaultKind.KILL)
        return cls(faults, seed)


@dataclass(frozen=True)
class Round:
    """The effects of one fault."""

    name: str
    total: SampleTally
    kinds: list[SampleTally]
    recovered_seconds: float | None
    """The time from the end of the fault until all requests succeeded again; None if that took over two minutes."""
    companies: int
    visited_again: int
    problems: list[str]


@dataclass(frozen=True)
class DrillReport:
    """The results of the drill."""

    machine: Machine
    seed: int
    seconds: float
    rounds: list[Round]
    problems: list[str] = field(default_factory=list)
    """Problems that the final checks found."""

    @property
    def passed(self) -> bool:
        """Whether nothing was lost and every part recovered."""
        return not self.problems and all(
            not each.problems and each.recovered_seconds is not None for each in self.rounds
        )


def drill(plan: DrillPlan) -> DrillReport:
    """Start a platform and inject every fault of a plan; report progress on standard error."""
    begun, ledger, rounds = time.monotonic(), Ledger(plan.seed), []
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        with _crew(Path(folder) / "home") as (platform, crew):
            for fault in (*([None] if plan.baseline else []), *plan.faults):
                rounds.append(_round(platform, crew, ledger, fault))
            _log_progress("final checks")
            problems = [*final_problems(platform, crew, ledger), *ledger.problems]
        problems += leftovers_after_stop(platform.home)
    return DrillReport(Machine.current(), plan.seed, round(time.monotonic() - begun), rounds, problems)


def _log_progress(what: str) -> None:
    log_progress(f"{time.strftime('%H:%M:%S')} {what}")


@contextmanager
def _crew(home: Path) -> Iterator[tuple[Platform, Crew]]:
    """Start a platform; yield it with signed-in users and a company whose record is cached."""
    _log_progress("starting a platform")
    with ExitStack() as stack:
        site = stack.enter_context(running_site(faults=True, latency_ms=_SITE_LATENCY_MS))
        limit = str(_RUN_LIMIT_SECONDS)
        platform = stack.enter_context(
            running_platform(home, site, durable=True, run_limit_seconds=limit, warm_browsers="2")
        )
        people = [stack.enter_context(platform.signed_in()) for _ in range(_PEOPLE)]
        held = CASES[CaseName.FOUND].idno
        people[0].fetch(held)
        key = str(platform.analyst.headers["X-API-Key"])
        yield platform, Crew(people, key, held, people[-1].sign_in()["refresh_token"])


def _round(platform: Platform, crew: Crew, ledger: Ledger, fault: DrillFault | None) -> Round:
    name = fault.name if fault else "no fault"
    _log_progress(name)
    with crew.working(platform, ledger) as work:
        _wait_for_work(work)
        if fault:
            processes = fault.find(platform)
            fault.inject(platform, processes)
        since = time.monotonic()
        _wait_for_recovery(work, since)
        work.end(_END_SECONDS)
    samples = work.samples
    recovered = recovered_at(samples, since=since)
    problems = [
        *wrong_answers(samples),
        *lost_companies(work.companies),
        *unexplained_visits(platform, fault, work.companies),
        *leftover_processes(platform),
    ]
    for problem in problems:
        _log_progress(f"  {problem}")
    return Round(
        name,
        SampleTally.of("all", _requests(samples)),
        tallies(samples),
        None if recovered is None else round(recovered - since, 1),
        len(work.companies),
        extra_visits(platform, work.companies),
        problems,
    )


def _requests(samples: list[Sample]) -> list[Sample]:
    return [each for each in samples if each.kind is not SampleKind.FETCHED]


def _wait_for_work(work: Work) -> None:
    """Wait until each kind of request has succeeded once."""

    def served() -> bool:
        return {each.kind for each in list(work.samples) if each.is_normal} >= set(SampleKind) - {
            SampleKind.EVENTS
        }

    wait_for("all clients working", served, seconds=_RECOVER_SECONDS)


def _wait_for_recovery(work: Work, since: float) -> None:
    """Wait until all requests have succeeded again for `_CALM_SECONDS`, or until the timeout."""
    deadline = since + _RECOVER_SECONDS
    while time.monotonic() < deadline:
        at = recovered_at(list(work.samples), since=since)
        if (
            at is not None
            and time.monotonic() - at > _CALM_SECONDS
            and not work.has_request_older_than(since)
        ):
            return
        work.stopped.wait(0.1)
