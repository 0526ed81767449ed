"""The checks after each fault and after the drill. Each check yields one sentence per problem that it finds."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import httpx
from sqlalchemy import text

from benchmarks.drill.drill_faults import DrillFault, supervisor_of
from benchmarks.drill.drill_load import Crew
from benchmarks.drill.ledger import Ledger, LedgerCompany, wrong_record
from benchmarks.drill.samples import Sample, SampleResult
from pipeline.defs.checks import counts, identity, references
from stack.home import Home
from stack.orphan_processes import processes_of
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from warehouse.evidence.evidence_errors import EvidenceDamaged
from warehouse.evidence.read import load_evidence
from warehouse.schema import database_roles

_LEFTOVER_TIMEOUT_SECONDS = 90
_SHOWN = 5

_WAREHOUSE = {
    "bodies with a wrong hash": "SELECT sha256 FROM raw_documents WHERE encode(sha256(content), 'hex') <> sha256",
    "captures that were not transformed": "SELECT idno FROM pending_captures",
    "captures in quarantine": "SELECT idno FROM quarantine",
    "results that refer to another company's capture": "SELECT r.idno FROM run_results r"
    " JOIN source_data s ON s.id = r.source_data_id WHERE s.idno <> r.idno",
    "good captures whose company has no record": "SELECT DISTINCT s.idno FROM source_data s"
    " LEFT JOIN transformed_data t USING (idno) WHERE s.outcome = 'ok' AND t.idno IS NULL",
    "changes of companies that did not change": "SELECT idno FROM company_changes",
}
_USERS = {
    "companies with more than one open scrape": "SELECT idno FROM scrapes WHERE finished_at IS NULL"
    " GROUP BY idno HAVING count(*) > 1",
    "open scrapes": "SELECT idno FROM scrapes WHERE finished_at IS NULL",
    "scrapes without a request": "SELECT idno FROM scrapes s"
    " WHERE NOT EXISTS (SELECT 1 FROM scrape_requests r WHERE r.scrape_id = s.id)",
    "scrapes without a launch": "SELECT idno FROM scrapes s"
    " WHERE NOT EXISTS (SELECT 1 FROM launch_scrapes l WHERE l.scrape_id = s.id)",
    "batch items without a scrape": "SELECT idno FROM batch_items"
    " WHERE scrape_id IS NULL AND verdict IN ('accepted', 'joined')",
}
_OPEN_RUNS = """
{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {
  ... on Runs { results { runId status creationTime } }
} }
"""
_MONITORED_SECONDS = 180
"""A run that was created but not launched is a problem only if it is older than this. Dagster's monitoring ends such
runs after two minutes."""


def wrong_answers(samples: Sequence[Sample]) -> Iterator[str]:
    """Yield a sentence for each kind of response that no client should get: an error, or no response at all."""
    wrong = Counter(
        (each.kind, each.detail if each.result is SampleResult.WRONG else "no response within a minute")
        for each in samples
        if each.result in (SampleResult.WRONG, SampleResult.SILENT)
    )
    for (kind, detail), times in wrong.items():
        yield f"{kind}: {detail} ({times} times)"


def lost_companies(companies: Sequence[LedgerCompany]) -> Iterator[str]:
    """Yield a sentence for each company that did not reach its expected final state."""
    yield from (company.problem for company in companies if company.problem)


def extra_visits(platform: Platform, companies: Sequence[LedgerCompany]) -> int:
    """Return how many visits there were in addition to one visit per company."""
    return sum(max(0, platform.site.visits(company.idno) - 1) for company in companies)


def unexplained_visits(
    platform: Platform, fault: DrillFault | None, companies: Sequence[LedgerCompany]
) -> Iterator[str]:
    """Yield a sentence for each company with more visits than the fault explains.

    After a good capture, a company must not be visited again. Before it, a repeated visit is correct only if the fault
    can have caused the loss of a visit.
    """
    idnos = [company.idno for company in companies]
    rows = platform.query(
        "SELECT idno, count(*) AS n FROM source_data WHERE outcome IN ('ok', 'not_found')"
        " AND idno = ANY(:idnos) GROUP BY idno",
        idnos=idnos,
    )
    captured = {str(row["idno"]): int(row["n"]) for row in rows}
    for company in companies:
        visits = platform.site.visits(company.idno)
        if company.state is not None and captured.get(company.idno, 0) != 1:
            yield f"{company.idno} has {captured.get(company.idno, 0)} good captures of {visits} visits"
        elif visits > 1 and not (fault and fault.carries_visits):
            yield f"{company.idno} was visited {visits} times, though no visit was lost"


def leftover_processes(platform: Platform) -> Iterator[str]:
    """Wait until all programs run and no processes of runs are left; yield what is still wrong at the timeout."""
    deadline = time.monotonic() + _LEFTOVER_TIMEOUT_SECONDS
    while True:
        states = supervisor_of(platform).states()
        down = [f"{name} is {state}" for name, state in states.items() if state != "RUNNING"]
        runs = [f"leftover process of a run: {process.pid}" for process in platform.runs()]
        try:
            found = [*down, *runs] or _leftover_browsers(platform)
        except AssertionError as error:
            found = [str(error)]
        if not found:
            return
        if time.monotonic() > deadline:
            yield from found
            return
        time.sleep(0.2)


def _leftover_browsers(platform: Platform) -> list[str]:
    platform.wait_until_only_warm_browsers_remain()
    return []


def final_problems(platform: Platform, crew: Crew, ledger: Ledger) -> Iterator[str]:
    """Check all stored data after the last fault; yield the problems."""
    yield from _records(platform, crew, ledger)
    yield from _captures(platform, ledger)
    yield from _tables(platform)
    yield from _accounts(platform, crew)
    yield from _batches(crew, ledger)
    for run in platform.graphql(_OPEN_RUNS)["runsOrError"]["results"]:
        is_new = time.time() - run["creationTime"] < _MONITORED_SECONDS
        if not (is_new and run["status"] == "NOT_STARTED"):
            yield f"Dagster's run {run['runId']} is still {run['status']}"
    yield from (
        f"capture on disk that is not stored: {path}" for path in platform.home.work.glob("spool/*/*")
    )


def _records(platform: Platform, crew: Crew, ledger: Ledger) -> Iterator[str]:
    person = crew.people[0]
    person.sign_in()
    for company in ledger.companies:
        if company.state == "succeeded":
            answer = person.http.get(f"/companies/{company.idno}/")
            body = answer.json() if answer.status_code == httpx.codes.OK else None
            if wrong := wrong_record(company, body):
                yield wrong


def _captures(platform: Platform, ledger: Ledger) -> Iterator[str]:
    with platform.warehouse() as connection:
        for company in ledger.companies:
            try:
                for _ in load_evidence(connection, company.idno):
                    pass
            except EvidenceDamaged as error:
                yield f"{company.idno}: {error}"


def _tables(platform: Platform) -> Iterator[str]:
    for what, query in _WAREHOUSE.items():
        yield from _none_of(what, [str(next(iter(row.values()))) for row in platform.query(query)])
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
        for what, query in _USERS.items():
            yield from _none_of(what, list(connection.execute(text(query)).scalars()))
    with platform.warehouse() as connection:
        for check in (identity, references, counts):
            finding = check(connection)
            if not finding.passed:
                yield finding.summary


def _none_of(what: str, found: Sequence[object]) -> Iterator[str]:
    if found:
        yield f"{len(found)} {what}: {', '.join(map(str, found[:_SHOWN]))}"


def _accounts(platform: Platform, crew: Crew) -> Iterator[str]:
    for person in crew.people:
        looks: dict[str, Callable[[], httpx.Response]] = {
            "session": lambda person=person: person.http.get("/auth/me/"),  # type: ignore[misc]
            "password": lambda person=person: _login(person),  # type: ignore[misc]
        }
        for what, look in looks.items():
            if (answer := look()).status_code != httpx.codes.OK:
                yield f"account {person.username}: {what} is refused with {answer.status_code}"
    answer = httpx.get(
        f"{platform.url}/auth/me/", headers={"X-API-Key": crew.analyst_key}, trust_env=False, timeout=60
    )
    if answer.status_code != httpx.codes.OK:
        yield f"API key is refused with {answer.status_code}"


def _login(person: PlatformUser) -> httpx.Response:
    account = {"username": person.username, "password": person.password}
    return person.http.post("/auth/login/", json=account)


def _batches(crew: Crew, ledger: Ledger) -> Iterator[str]:
    for url, companies in ledger.batches.items():
        answer = crew.people[2].http.get(url)
        if answer.status_code != httpx.codes.OK:
            yield f"batch {url} returns {answer.status_code}"
            continue
        states = Counter(company.expected_state for company in companies)
        if (counted := answer.json()["counts"]) != states:
            yield f"batch {url} counts {counted}, not {dict(states)}"


def leftovers_after_stop(home: Home) -> Iterator[str]:
    """Yield a sentence for each process and browser folder that is left after the platform was stopped."""
    yield from (f"leftover process {process.pid}" for process in processes_of(home))
    yield from (f"leftover folder {path}" for path in home.work.glob("chrome/*"))
