"""One fault after the other: load, trouble, recovery, end; then a look at everything that was ever accepted."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.command import say
from benchmarks.drill.drill_checks import (
    left_after_the_end,
    left_processes,
    lost_companies,
    lost_in_the_end,
    unexplained_visits,
    visits_again,
    wrong_answers,
)
from benchmarks.drill.drill_faults import ALL, QUICK, DrillFault, Trouble
from benchmarks.drill.drill_load import Crew, Work
from benchmarks.drill.ledger import Ledger
from benchmarks.drill.samples import Sample, SampleKind, SampleTally, recovered_at, tallies
from benchmarks.machine import Machine
from standin import CASES, CaseName, running_site
from tests.platform_harness import Platform, running_platform
from tests.polling import wait_for

_PEOPLE = 5
_SITE_LATENCY_MS = 300
"""So that most of the time a visit is under way."""
_CALM_SECONDS = 2.0
_RUN_LIMIT_SECONDS = 90
_RECOVER_SECONDS = 120.0
_END_SECONDS = 180.0


@dataclass(frozen=True)
class DrillPlan:
    """Which faults, and which companies."""

    faults: tuple[DrillFault, ...] = ALL
    seed: int = 1

    @classmethod
    def of(cls, parts: list[str], *, quick: bool, seed: int) -> "DrillPlan":
        """Return the plan of a command; without parts, all of them."""
        faults = QUICK if quick and not parts else ALL
        if parts:
            faults = tuple(fault for fault in ALL if fault.part.name in parts)
        if parts and quick:
            faults = tuple(fault for fault in faults if fault.trouble is Trouble.KILL)
        return cls(faults, seed)


@dataclass(frozen=True)
class Round:
    """What one fault did."""

    name: str
    total: SampleTally
    kinds: list[SampleTally]
    recovered_seconds: float | None
    """From the end of the trouble until everything was answered as usual; None: not in two minutes."""
    companies: int
    visited_again: int
    problems: list[str]


@dataclass(frozen=True)
class DrillReport:
    """What the drill found."""

    machine: Machine
    seed: int
    seconds: float
    rounds: list[Round]
    problems: list[str] = field(default_factory=list)
    """Found in the end, when everything was looked through."""

    @property
    def passed(self) -> bool:
        """Nothing was lost, and everything recovered."""
        return not self.problems and all(
            not each.problems and each.recovered_seconds is not None for each in self.rounds
        )


def drill(plan: DrillPlan) -> DrillReport:
    """Run a platform of its own through every fault of a plan; says what it is at on standard error."""
    begun, ledger, rounds = time.monotonic(), Ledger(plan.seed), []
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        with _crew(Path(folder) / "home") as (platform, crew):
            rounds.append(_round(platform, crew, ledger, None))
            for fault in plan.faults:
                rounds.append(_round(platform, crew, ledger, fault))
            _say("looking through everything")
            problems = [*lost_in_the_end(platform, crew, ledger), *ledger.problems]
        problems += left_after_the_end(platform.home)
    return DrillReport(Machine.this(), plan.seed, round(time.monotonic() - begun), rounds, problems)


def _say(what: str) -> None:
    say(f"{time.strftime('%H:%M:%S')} {what}")


@contextmanager
def _crew(home: Path) -> Iterator[tuple[Platform, Crew]]:
    """Yield a platform, with people who are signed in to it and a company that is held."""
    _say("starting a platform")
    with ExitStack() as stack:
        site = stack.enter_context(running_site(faults=True, latency_ms=_SITE_LATENCY_MS))
        limit = str(_RUN_LIMIT_SECONDS)
        platform = stack.enter_context(running_platform(home, site, run_limit_seconds=limit))
        people = [stack.enter_context(platform.signed_in()) for _ in range(_PEOPLE)]
        held = CASES[CaseName.FOUND].idno
        people[0].fetch(held)
        key = str(platform.analyst.headers["X-API-Key"])
        yield platform, Crew(people, key, held, people[-1].sign_in()["refresh_token"])


def _round(platform: Platform, crew: Crew, ledger: Ledger, fault: DrillFault | None) -> Round:
    name = fault.name if fault else "nothing happens"
    _say(name)
    with crew.at_work(platform, ledger) as work:
        _wait_for_work(work)
        if fault:
            processes = fault.find(platform)
            fault.strike(platform, processes)
        since = time.monotonic()
        _wait_for_recovery(work, since)
        work.end(_END_SECONDS)
    samples = work.samples
    recovered = recovered_at(samples, since=since)
    problems = [
        *wrong_answers(samples),
        *lost_companies(work.companies),
        *unexplained_visits(platform, fault, work.companies),
        *left_processes(platform),
    ]
    for problem in problems:
        _say(f"  {problem}")
    return Round(
        name,
        SampleTally.of("all", _requests(samples)),
        tallies(samples),
        None if recovered is None else round(recovered - since, 1),
        len(work.companies),
        visits_again(platform, work.companies),
        problems,
    )


def _requests(samples: list[Sample]) -> list[Sample]:
    return [each for each in samples if each.kind is not SampleKind.FETCHED]


def _wait_for_work(work: Work) -> None:
    """Wait until everybody has been served once: then there is something to be hurt."""

    def served() -> bool:
        return {each.kind for each in list(work.samples) if each.is_usual} >= set(SampleKind) - {
            SampleKind.EVENTS
        }

    wait_for("everybody at work", served, seconds=_RECOVER_SECONDS)


def _wait_for_recovery(work: Work, since: float) -> None:
    """Wait until everything goes as usual again, and has for a moment; or until it has taken too long."""
    deadline = since + _RECOVER_SECONDS
    while time.monotonic() < deadline:
        at = recovered_at(list(work.samples), since=since)
        if (
            at is not None
            and time.monotonic() - at > _CALM_SECONDS
            and not work.has_waited_since_before(since)
        ):
            return
        work.is_over.wait(0.1)
