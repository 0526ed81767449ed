"""A batch at a site with faults of every kind, while Chrome, a run and Redis are killed.

`REGISTRU_SOAK` is the number of companies (`make soak` uses 500, like the long version); by default it is small.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

import httpx
import psutil
import pytest
from redis import Redis
from sqlalchemy import text

from pipeline.extract.retries import TRANSIENT
from stack import valkey
from stack.secrets import load_or_create
from standin import expected_outcome, running_site
from standin.site_facts import make_idno
from standin.site_faults import FAULTY_NUMBERS, SiteFault, fault_of
from tests.long_version import LONG
from tests.pipeline.extract.throttling import end_pauses
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.contract import Outcome
from warehouse.schema import database_roles

COMPANY_COUNT = int(os.environ.get("REGISTRU_SOAK", "500" if LONG else "20"))
TIMEOUT_SECONDS = 300 + 4 * COMPANY_COUNT
STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found", Outcome.BLOCKED: "blocked"}
MAX_GROWTH_FACTOR = 1.5
ALLOWED_GROWTH_BYTES = 60 * 1024 * 1024
TABS = 4
"""The number of visits that a run makes at the same time (REGISTRU_TABS)."""
BREAKER_CHALLENGES = 4
CHALLENGED_COMPANIES = 10


@pytest.fixture(scope="module")
def soaked(starts_platform: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform for a site with faults."""
    with (
        running_site(faults=True) as site,
        running_platform(
            tmp_path_factory.mktemp("soak"),
            site,
            visit_attempts="4",
            visit_timeout_seconds="6",
            # Some companies of the site are challenged; they must not open the circuit breaker.
            breaker_challenges=str(BREAKER_CHALLENGES),
        ) as platform,
    ):
        yield platform


@dataclass
class Sampler:
    """Measures the memory of the runs' processes once a second until `stopped` is set."""

    platform: Platform
    bytes_by_process: dict[int, list[int]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Measure; the body of a thread."""
        while not self.stopped.wait(1):
            for worker in self.platform.runs():
                try:
                    self.bytes_by_process.setdefault(worker.pid, []).append(worker.memory_info().rss)
                except psutil.Error:
                    continue


def kill_chrome(platform: Platform) -> None:
    """Kill all processes of the browsers."""
    processes = wait_for("a Chrome", lambda: platform.processes("--user-data-dir="))
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
            process.kill()


def kill_run(platform: Platform) -> None:
    """Kill the process of a run."""
    [worker, *_] = wait_for("a run", platform.runs)
    with suppress(psutil.NoSuchProcess):
        worker.kill()


def restart_valkey(platform: Platform) -> None:
    """Terminate Valkey; the supervisor starts it again."""
    [valkey] = platform.processes("valkey-server")
    valkey.terminate()
    valkey.wait(timeout=20)


FAULTS = (
    (0.10, kill_chrome),
    (0.25, kill_run),
    (0.40, kill_chrome),
    (0.55, restart_valkey),
    (0.70, kill_chrome),
)
"""The faults, each at a finished share of the batch."""


def read_status(user: PlatformUser, url: str) -> dict[str, object]:
    """Return a batch's status; wait for the API if Redis is restarting."""

    def status() -> dict[str, object] | None:
        answer = user.http.get(url)
        return answer.json() if answer.status_code == httpx.codes.OK else None

    return wait_for("the batch's status", status, seconds=90)


@pytest.mark.timeout(TIMEOUT_SECONDS * 2)
def test_every_company_of_a_batch_has_the_right_outcome_whatever_is_killed(soaked: Platform) -> None:
    idnos = [make_idno(FAULTY_NUMBERS[number]) for number in range(COMPANY_COUNT)]
    idnos.sort(key=lambda idno: fault_of(idno) is not SiteFault.NEVER_RENDERS)  # the longest visits first
    sampler = Sampler(soaked)
    thread = threading.Thread(target=sampler.run)
    thread.start()
    try:
        with soaked.signed_in() as user:
            answer = user.http.post("/scrape/batch/", json={"idnos": idnos, "force_refresh": True})
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            url = answer.json()["status_url"]
            for share, inject_fault in FAULTS:

                def has_reached_share(share: float = share) -> bool:
                    [done] = soaked.query(
                        "SELECT count(DISTINCT idno) AS n FROM run_results WHERE idno = ANY(:idnos)",
                        idnos=idnos,
                    )
                    return bool(done["n"] >= share * COMPANY_COUNT)

                wait_for(
                    f"{share:.0%} of the batch", has_reached_share, seconds=TIMEOUT_SECONDS, pause_seconds=0.5
                )
                inject_fault(soaked)
            status = wait_for(
                "the end of the batch",
                lambda: found if (found := read_status(user, url))["state"] != "running" else None,
                seconds=TIMEOUT_SECONDS,
                pause_seconds=1,
            )
            soaked.wait_until_only_warm_browsers_remain()
    finally:
        sampler.stopped.set()
        thread.join()

    check_outcomes(status, idnos)
    check_nothing_is_lost_or_duplicated(soaked, idnos)
    check_nothing_is_left(soaked)
    check_memory(sampler)


def check_outcomes(status: dict[str, object], idnos: list[str]) -> None:
    """Compare state and outcome of each company with those that its faults allow."""
    companies = status["companies"]
    assert isinstance(companies, list)
    states = {company["idno"]: (company["state"], company["outcome"]) for company in companies}
    outcomes = {idno: expected_outcome(idno) for idno in idnos}
    expected = {idno: (STATES.get(outcome, "failed"), outcome) for idno, outcome in outcomes.items()}
    # The last visit to a company that always fails may end with its Chrome.
    killed = {idno for idno, outcome in outcomes.items() if outcome in TRANSIENT} & {
        idno for idno, pair in states.items() if pair == ("failed", Outcome.BROWSER_ERROR)
    }
    wrong = {
        idno: (states.get(idno), pair)
        for idno, pair in expected.items()
        if states.get(idno) != pair and idno not in killed
    }
    assert wrong == {}, [company for company in companies if company["idno"] in wrong]
    assert len(companies) == len(idnos)


def check_nothing_is_lost_or_duplicated(platform: Platform, idnos: list[str]) -> None:
    """Check for one capture and one record of each company that exists."""
    existing = [idno for idno in idnos if expected_outcome(idno) is Outcome.OK]
    rows = platform.query(
        "SELECT idno, count(*) AS n FROM source_data WHERE outcome IN ('ok', 'not_found') AND idno = ANY(:idnos)"
        " GROUP BY idno",
        idnos=idnos,
    )
    assert {row["idno"]: row["n"] for row in rows if row["n"] > 1} == {}
    records = platform.query("SELECT idno FROM transformed_data WHERE idno = ANY(:idnos)", idnos=idnos)
    assert sorted(row["idno"] for row in records) == sorted(existing)


def check_nothing_is_left(platform: Platform) -> None:
    """Wait until no browser of a run and no spooled capture is left."""
    # The batch finishes with its last company, its run a moment later.
    platform.wait_until_only_warm_browsers_remain()
    wait_for("an empty spool", lambda: not any(platform.home.work.glob("spool/*/*")))


def check_memory(sampler: Sampler) -> None:
    """Compare the memory of each long run in its last third with that in its second."""
    for samples in sampler.bytes_by_process.values():
        third = len(samples) // 3
        if third < 10:
            continue  # too short to compare
        early, late = median(samples[third : 2 * third]), median(samples[-third:])
        assert late < early * MAX_GROWTH_FACTOR + ALLOWED_GROWTH_BYTES


def end_deferral(platform: Platform) -> None:
    """Let the time pass for which the site is paused and companies are deferred, 15 minutes by default."""
    secrets = load_or_create(platform.home.secrets)
    with Redis.from_url(valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE)) as redis:
        end_pauses(redis)
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
        connection.execute(text("UPDATE scrapes SET deferred_until = now() WHERE state = 'deferred'"))


@pytest.mark.timeout(900)
def test_requests_to_a_site_that_challenges_all_visits_are_deferred_and_resumed(
    soaked: Platform,
) -> None:
    idnos = [make_idno(2_000 + number) for number in range(CHALLENGED_COMPANIES)]
    soaked.wait_until_healthy()
    soaked.site.challenging = True
    soaked.site.log.clear()
    with soaked.signed_in() as user:
        url = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()["status_url"]

        def deferred() -> list[dict[str, object]] | None:
            companies = read_status(user, url)["companies"]
            assert isinstance(companies, list)
            found = [company for company in companies if company["state"] == "deferred"]
            is_settled = {company["state"] for company in companies} == {"blocked", "deferred"}
            return found if is_settled else None

        deferred_companies = wait_for("deferred companies", deferred, seconds=240)
        assert all(company["deferred_until"] for company in deferred_companies)
        assert all("challenges" in str(company["error"]) for company in deferred_companies)
        [pause] = user.http.get("/health/").json()["pauses"]
        assert pause["host"] in soaked.site.url
        assert "challenges" in pause["reason"]
        # These challenges opened the breaker; the other tabs had visits in progress.
        visited = len(soaked.site.documents())
        assert BREAKER_CHALLENGES <= visited <= BREAKER_CHALLENGES + TABS
        soaked.site.challenging = False
        end_deferral(soaked)
        status = wait_for(
            "the end of the batch",
            lambda: found if (found := read_status(user, url))["state"] != "running" else None,
            seconds=240,
        )
    companies = status["companies"]
    assert isinstance(companies, list)
    states = {company["idno"]: company["state"] for company in companies}
    assert all(states[company["idno"]] == "succeeded" for company in deferred_companies)
    assert set(states.values()) == {"succeeded", "blocked"}
    # A visit that times out on a busy machine is retried.
    assert len(idnos) <= len(soaked.site.documents()) <= len(idnos) + 2
