"""A batch shared by two hosts, one of which is killed: the result of the batch and the cost of the kill."""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
from tests.platform_harness import VISIT_TIMEOUT_SECONDS, Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.contract import Outcome
from warehouse.schema import database_roles

RUNS_PER_HOST = 2
TABS = 2
STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found", Outcome.BLOCKED: "blocked"}


@dataclass(frozen=True)
class SharedBatchResult:
    """The result of a batch whose runs two hosts share."""

    idnos: Sequence[str]
    set_rate: float
    """Visits per second that the platform may make."""
    seconds: float
    killed: str
    """The host that was killed."""
    killed_share: float
    """The part of the batch that was done at the kill."""
    processes: int
    """Processes that were killed."""
    seconds_until_noticed: float
    """From the kill until Dagster marked the first of the host's runs as failed."""
    runs_lost: int
    """Runs that were running on the killed host."""
    done_by: dict[str, int]
    """Companies by the host that stored their last result."""
    visits_by: dict[str, int]
    """Stored visits by host."""
    states: dict[str, int]
    """Companies by final state."""
    wrong: dict[str, tuple[Any, Any]]
    """Companies with an unexpected final state: actual and expected state and outcome."""
    documents: int
    """Pages that the site served."""
    repeated: int
    """Pages that were requested again because of the kill: more often than visits were stored."""
    peak_rates: dict[int, float]
    """Length of a window in seconds → the most visits per second in any such window, from the site's log."""
    rate: float
    """Visits per second over the whole time, from the site's log."""


@contextmanager
def two_hosts(
    folder: Path, *, rate: float, companies_per_run: int, visit_timeout_seconds: int = VISIT_TIMEOUT_SECONDS
) -> Iterator[tuple[Platform, list[Host]]]:
    """Yield a platform that executes no runs itself, and two hosts with one worker each.

    Args:
        folder: The homes of the platform and the hosts.
        rate: Visits per second that the platform may make.
        companies_per_run: The most companies of a batch in one run.
        visit_timeout_seconds: The maximum duration of a visit.
    """
    with ExitStack() as stack:
        site = stack.enter_context(running_site(faults=True))
        platform = stack.enter_context(
            running_platform(
                folder / "platform",
                site,
                rate=rate,
                launcher="celery",
                run_companies=str(companies_per_run),
                tabs=str(TABS),
                breaker_challenges="8",  # single challenges are part of the site and must not pause it
                visit_timeout_seconds=str(visit_timeout_seconds),
            )
        )
        hosts = stack.enter_context(running_hosts(platform, folder, ["east", "west"]))
        for host in hosts:
            start_worker(host, platform, runs=RUNS_PER_HOST)
        yield platform, hosts


def batch_of(companies: int, *, first: int = 0) -> list[str]:
    """Return the IDNOs of companies of which about one in ten has a fault.

    Args:
        companies: The number of companies.
        first: The index of the first one in FAULTY_NUMBERS.
    """
    return [make_idno(number) for number in FAULTY_NUMBERS[first : first + companies]]


def wait_until_ready(hosts: Sequence[Host]) -> None:
    """Wait until all workers accept runs."""
    for host in hosts:
        wait_for(f"the worker on {host.name}", host.is_ready, seconds=240)


def run_shared_batch(
    platform: Platform,
    hosts: Sequence[Host],
    *,
    idnos: Sequence[str],
    kill_at: float,
    rate: float,
    blocked: Collection[str] = (),
) -> SharedBatchResult:
    """Run a batch on two hosts and kill the first one.

    Args:
        platform: The platform.
        hosts: Its two hosts.
        idnos: The companies of the batch.
        kill_at: The part of the batch after which the host is killed.
        rate: Visits per second that the platform may make; reported only.
        blocked: Companies whose visits do not end before the kill.
    """
    platform.site.blocked_idnos |= frozenset(blocked)
    companies = len(idnos)
    wait_until_ready(hosts)
    began = time.monotonic()
    with platform.signed_in() as user:
        answer = user.http.post("/scrape/batch/", json={"idnos": idnos, "force_refresh": True})
        url = answer.json()["status_url"]
        wait_for(
            f"{kill_at:.0%} of the batch and runs on both hosts",
            lambda: _have_both_worked(platform, hosts, idnos, at_least=kill_at * companies) or None,
            seconds=120 + 4 * companies,
        )
        done = _count_done(platform, idnos)
        current_runs = list_current_runs(platform, hosts[0])
        killed_at = datetime.now(UTC)
        processes = hosts[0].kill()
        platform.site.blocked_idnos -= frozenset(blocked)
        noticed_at = wait_for(
            "the failure of a killed run", lambda: _first_failure(platform, current_runs), seconds=240
        )
        status = wait_for(
            "the end of the batch", lambda: _final_status(user, url), seconds=240 + 6 * companies
        )
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
        runs_lost=len(current_runs),
    )


def _have_both_worked(
    platform: Platform, hosts: Sequence[Host], idnos: Sequence[str], *, at_least: float
) -> bool:
    hosts_by_run = _hosts_by_run(platform)
    runs_with_results = platform.query(
        "SELECT DISTINCT run_id FROM run_results WHERE idno = ANY(:idnos)", idnos=[*idnos]
    )
    hosts_with_results = {hosts_by_run.get(row["run_id"]) for row in runs_with_results}
    return (
        _count_done(platform, idnos) >= at_least
        and hosts_with_results >= {host.name for host in hosts}
        and all(list_current_runs(platform, host) for host in hosts)
    )


def _count_done(platform: Platform, idnos: Sequence[str]) -> int:
    statement = "SELECT count(DISTINCT idno) AS n FROM run_results WHERE idno = ANY(:idnos)"
    return int(platform.query(statement, idnos=[*idnos])[0]["n"])


def _query_dagster_database(platform: Platform, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    with platform.engine(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE).begin() as connection:
        return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def _hosts_by_run(platform: Platform) -> dict[str, str]:
    """Return the host that executes or executed each run."""
    rows = _query_dagster_database(
        platform, "SELECT run_id, value FROM run_tags WHERE key = :key", key=WORKER_TAG
    )
    return {row["run_id"]: row["value"].partition("@")[2] for row in rows}


def list_current_runs(platform: Platform, host: Host) -> list[str]:
    """Return the runs that a host is executing."""
    run_ids = [run_id for run_id, name in _hosts_by_run(platform).items() if name == host.name]
    statement = "SELECT run_id, status FROM runs WHERE run_id = ANY(:ids)"
    rows = _query_dagster_database(platform, statement, ids=run_ids)
    return [row["run_id"] for row in rows if row["status"] == "STARTED"]


def _first_failure(platform: Platform, run_ids: Sequence[str]) -> datetime | None:
    """Return when Dagster marked the first of these runs as failed; None if none has failed."""
    statement = "SELECT min(end_time) AS at FROM runs WHERE run_id = ANY(:ids) AND status = 'FAILURE'"
    at = _query_dagster_database(platform, statement, ids=list(run_ids))[0]["at"]
    return datetime.fromtimestamp(at, UTC) if at else None


def _final_status(user: PlatformUser, url: str) -> dict[str, Any] | None:
    status: dict[str, Any] = user.http.get(url).json()
    return None if status["state"] == "running" else status


def _report(
    platform: Platform, idnos: Sequence[str], status: dict[str, Any], **measured: Any
) -> SharedBatchResult:
    hosts_by_run = _hosts_by_run(platform)
    last_results = platform.query(
        "SELECT DISTINCT ON (idno) idno, run_id FROM run_results WHERE idno = ANY(:idnos)"
        " ORDER BY idno, ended_at DESC",
        idnos=[*idnos],
    )
    visits = platform.query(
        "SELECT idno, run_id FROM source_data"
        " WHERE idno = ANY(:idnos) AND (status_code IS NOT NULL OR duration_ms > 0)",
        idnos=[*idnos],
    )
    documents = [document for document in platform.site.documents() if document.idno in idnos]
    stored_visits = Counter(row["idno"] for row in visits)
    served = Counter(document.idno for document in documents)
    times = [document.time for document in documents]
    return SharedBatchResult(
        idnos=idnos,
        done_by=dict(Counter(hosts_by_run.get(row["run_id"], "?") for row in last_results)),
        visits_by=dict(Counter(hosts_by_run.get(row["run_id"], "?") for row in visits)),
        states=dict(Counter(company["state"] for company in status["companies"])),
        wrong=_wrong(idnos, status["companies"]),
        documents=len(documents),
        repeated=sum(max(0, served[idno] - stored_visits[idno]) for idno in idnos),
        peak_rates={seconds: platform.site.max_documents_in(seconds) / seconds for seconds in (5, 10)},
        rate=(len(times) - 1) / (times[-1] - times[0]).total_seconds(),
        **measured,
    )


def _wrong(idnos: Sequence[str], companies: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    actual = {company["idno"]: (company["state"], company["outcome"]) for company in companies}
    expected = {
        idno: (STATES.get(outcome, "failed"), outcome)
        for idno in idnos
        for outcome in [expected_outcome(idno)]
    }
    return {
        idno: (actual.get(idno), expected_end)
        for idno, expected_end in expected.items()
        if actual.get(idno) != expected_end
    }


def show(result: SharedBatchResult, console: Console) -> None:
    """Print the result of a batch."""
    table = Table(
        title=f"{len(result.idnos)} companies on two hosts; {result.killed} killed at {result.killed_share:.0%}"
    )
    for column in ("host", "companies completed", "visits stored"):
        table.add_column(column, justify="left" if column == "host" else "right")
    for host in sorted(result.done_by):
        name = f"{host} (killed)" if host == result.killed else host
        table.add_row(name, str(result.done_by[host]), str(result.visits_by.get(host, 0)))
    console.print(table)
    facts = Table(show_header=False)
    facts.add_row(
        "final states", ", ".join(f"{count} {state}" for state, count in sorted(result.states.items()))
    )
    facts.add_row("unexpected final states", str(len(result.wrong)))
    facts.add_row("time", f"{result.seconds:.0f} s")
    facts.add_row("allowed visits per second", f"{result.set_rate:g}")
    peaks = "; ".join(f"peak of {seconds} s: {rate:.2f}" for seconds, rate in result.peak_rates.items())
    facts.add_row("measured visits per second", f"average: {result.rate:.2f}; {peaks}")
    facts.add_row("killed", f"{result.processes} processes, {result.runs_lost} runs")
    facts.add_row("detected after", f"{result.seconds_until_noticed:.1f} s")
    facts.add_row("repeated visits", f"{result.repeated} of {result.documents}")
    console.print(facts)
