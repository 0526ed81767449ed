"""One batch that two hosts share, one of which is killed in the middle; what became of it, and what the kill cost."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from pipeline.dagster_host.celery_worker import WORKER_TAG
from standin import expected_outcome, running_site
from standin.site_facts import make_idno
from standin.site_faults import FAULTY_NUMBERS
from tests.machines.hosts import Host, running_hosts, start_worker
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.contract import Outcome
from warehouse.schema import database_roles

RUNS_A_HOST = 2
TABS = 2
STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found", Outcome.BLOCKED: "blocked"}


@dataclass(frozen=True)
class Shared:
    """What became of a batch."""

    idnos: Sequence[str]
    set_rate: float
    seconds: float
    killed: str
    killed_share: float
    processes: int
    """That were killed."""
    seconds_until_noticed: float
    """From the kill until Dagster held the first of its runs for over."""
    runs_lost: int
    done_by: dict[str, int]
    """Companies by the worker that brought them to their end."""
    visits_by: dict[str, int]
    states: dict[str, int]
    wrong: dict[str, tuple[Any, Any]]
    """Companies that ended otherwise than the site's facts say: how, and how they should have."""
    documents: int
    """Pages that the site was asked for."""
    again: int
    """Pages asked for once more than their company's own attempts explain."""
    fastest: dict[int, float]
    """Visits a second, measured by the site's log: the most in any so many seconds."""
    rate: float
    """… and over the whole time."""


@contextmanager
def two_hosts(folder: Path, *, rate: float, companies_a_run: int) -> Iterator[tuple[Platform, list[Host]]]:
    """Yield a platform that runs nothing itself, and two hosts with a worker each."""
    with ExitStack() as stack:
        site = stack.enter_context(running_site(faults=True))
        platform = stack.enter_context(
            running_platform(
                folder / "platform",
                site,
                rate=rate,
                launcher="celery",
                run_companies=str(companies_a_run),
                tabs=str(TABS),
                breaker_challenges="8",  # a few are challenged, here and there: no reason to stop for all
            )
        )
        hosts = stack.enter_context(running_hosts(platform, folder, ["east", "west"]))
        for host in hosts:
            start_worker(host, platform, runs=RUNS_A_HOST)
        yield platform, hosts


def wait_until_ready(hosts: Sequence[Host]) -> None:
    """Wait until all workers take runs."""
    for host in hosts:
        wait_for(f"the worker on {host.name}", host.is_ready, seconds=90)


def share(
    platform: Platform, hosts: Sequence[Host], *, companies: int, kill_at: float, rate: float
) -> Shared:
    """Have a batch done by two hosts; kill the first when so much of it is done."""
    idnos = [make_idno(FAULTY_NUMBERS[number]) for number in range(companies)]
    wait_until_ready(hosts)
    began = time.monotonic()
    with platform.signed_in() as user:
        answer = user.http.post("/scrape/batch/", json={"idnos": idnos, "force_refresh": True})
        url = answer.json()["status_url"]
        wait_for(
            f"{kill_at:.0%} of the batch, and work on both hosts",
            lambda: _is_shared(platform, hosts, at_least=kill_at * companies) or None,
            seconds=60 + 4 * companies,
        )
        done = _done(platform)
        at_work = runs_under_way(platform, hosts[0])
        killed_at = datetime.now(UTC)
        processes = hosts[0].kill()
        noticed_at = wait_for(
            "the end of a run that was killed", lambda: _first_end(platform, at_work), seconds=120
        )
        status = wait_for("the end of the batch", lambda: _over(user, url), seconds=120 + 6 * companies)
    seconds = time.monotonic() - began
    return _report(
        platform,
        idnos,
        status,
        set_rate=rate,
        seconds=seconds,
        killed=hosts[0].name,
        killed_share=done / companies,
        processes=processes,
        seconds_until_noticed=(noticed_at - killed_at).total_seconds(),
        runs_lost=len(at_work),
    )


def _is_shared(platform: Platform, hosts: Sequence[Host], *, at_least: float) -> bool:
    workers = _workers(platform)
    brought = {
        workers.get(row["run_id"]) for row in platform.query("SELECT DISTINCT run_id FROM run_results")
    }
    return (
        _done(platform) >= at_least
        and brought >= {host.name for host in hosts}
        and all(runs_under_way(platform, host) for host in hosts)
    )


def _done(platform: Platform) -> int:
    return int(platform.query("SELECT count(DISTINCT idno) AS n FROM run_results")[0]["n"])


def _dagster(platform: Platform, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    with platform.engine(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE).begin() as connection:
        return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def _workers(platform: Platform) -> dict[str, str]:
    """Return the host that each run was taken by."""
    rows = _dagster(platform, "SELECT run_id, value FROM run_tags WHERE key = :key", key=WORKER_TAG)
    return {row["run_id"]: row["value"].partition("@")[2] for row in rows}


def runs_under_way(platform: Platform, host: Host) -> list[str]:
    """Return the runs that a host has taken and not ended."""
    mine = [run_id for run_id, name in _workers(platform).items() if name == host.name]
    rows = _dagster(platform, "SELECT run_id, status FROM runs WHERE run_id = ANY(:ids)", ids=mine)
    return [row["run_id"] for row in rows if row["status"] == "STARTED"]


def _first_end(platform: Platform, run_ids: Sequence[str]) -> datetime | None:
    """Return when Dagster held the first of these runs for failed."""
    statement = "SELECT min(end_time) AS at FROM runs WHERE run_id = ANY(:ids) AND status = 'FAILURE'"
    at = _dagster(platform, statement, ids=list(run_ids))[0]["at"]
    return datetime.fromtimestamp(at, UTC) if at else None


def _over(user: PlatformUser, url: str) -> dict[str, Any] | None:
    status: dict[str, Any] = user.http.get(url).json()
    return None if status["state"] == "running" else status


def _report(platform: Platform, idnos: Sequence[str], status: dict[str, Any], **known: Any) -> Shared:
    workers = _workers(platform)
    done = platform.query(
        "SELECT DISTINCT ON (idno) idno, run_id FROM run_results ORDER BY idno, ended_at DESC"
    )
    visits = platform.query(
        "SELECT idno, run_id FROM source_data WHERE status_code IS NOT NULL OR duration_ms > 0"
    )
    documents = platform.site.documents()
    stored = Counter(row["idno"] for row in visits)
    asked = Counter(document.idno for document in documents)
    times = [document.time for document in documents]
    return Shared(
        idnos=idnos,
        done_by=dict(Counter(workers.get(row["run_id"], "?") for row in done)),
        visits_by=dict(Counter(workers.get(row["run_id"], "?") for row in visits)),
        states=dict(Counter(company["state"] for company in status["companies"])),
        wrong=_wrong(idnos, status["companies"]),
        documents=len(documents),
        again=sum(max(0, asked[idno] - stored[idno]) for idno in idnos),
        fastest={seconds: platform.site.max_documents_in(seconds) / seconds for seconds in (5, 10)},
        rate=(len(times) - 1) / (times[-1] - times[0]).total_seconds(),
        **known,
    )


def _wrong(idnos: Sequence[str], companies: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    found = {company["idno"]: (company["state"], company["outcome"]) for company in companies}
    expected = {
        idno: (STATES.get(outcome, "failed"), outcome)
        for idno in idnos
        for outcome in [expected_outcome(idno)]
    }
    return {idno: (found.get(idno), then) for idno, then in expected.items() if found.get(idno) != then}


def show(shared: Shared, console: Console) -> None:
    """Print what became of a batch."""
    table = Table(
        title=f"{len(shared.idnos)} companies on two hosts; {shared.killed} killed at {shared.killed_share:.0%}"
    )
    for column in ("host", "companies brought to their end", "visits stored"):
        table.add_column(column, justify="left" if column == "host" else "right")
    for host in sorted(shared.done_by):
        name = f"{host} (killed)" if host == shared.killed else host
        table.add_row(name, str(shared.done_by[host]), str(shared.visits_by.get(host, 0)))
    console.print(table)
    facts = Table(show_header=False)
    facts.add_row("ended", ", ".join(f"{count} {state}" for state, count in sorted(shared.states.items())))
    facts.add_row("ended otherwise than the site's facts say", str(len(shared.wrong)))
    facts.add_row("time", f"{shared.seconds:.0f} s")
    facts.add_row("visits a second, set", f"{shared.set_rate:g}")
    measured = "; ".join(f"{rate:.2f} in the fastest {seconds} s" for seconds, rate in shared.fastest.items())
    facts.add_row("… measured by the site", f"{shared.rate:.2f} over all; {measured}")
    facts.add_row("killed at once", f"{shared.processes} processes, {shared.runs_lost} runs")
    facts.add_row("noticed after", f"{shared.seconds_until_noticed:.1f} s")
    facts.add_row("visits that the kill cost", f"{shared.again} of {shared.documents}")
    console.print(facts)
