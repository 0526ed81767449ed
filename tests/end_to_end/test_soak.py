"""A batch through faults of every kind, while Chrome, a run and Redis are killed under it.

`REGISTRU_SOAK=500` (`make soak`) takes that many companies; the suite takes fewer.
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

from standin import expected_outcome, running_site
from standin.site_facts import make_idno
from standin.site_faults import FAULTY_NUMBERS
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.contract import Outcome

COMPANIES = int(os.environ.get("REGISTRU_SOAK", "40"))
SECONDS = 300 + 4 * COMPANIES
STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found", Outcome.BLOCKED: "blocked"}
MOST_GROWTH = 1.5
SPARE_BYTES = 60 * 1024 * 1024


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with (
        running_site(faults=True) as site,
        running_platform(
            tmp_path_factory.mktemp("soak"),
            site,
            visit_attempts="4",
            visit_timeout_seconds="6",
            # A few of the companies are challenged, here and there: no reason to stop for all.
            breaker_challenges="8",
            breaker_seconds="20",
            longest_wait_seconds="5",
        ) as platform,
    ):
        yield platform


@dataclass
class Sampler:
    """Measures the runs' processes until it is stopped."""

    platform: Platform
    bytes_by_process: dict[int, list[int]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopped.wait(1):
            for worker in self.platform.runs():
                try:
                    self.bytes_by_process.setdefault(worker.pid, []).append(worker.memory_info().rss)
                except psutil.Error:
                    continue


def kill_chrome(platform: Platform) -> None:
    killed = wait_for("a Chrome", lambda: platform.processes("--user-data-dir="))
    for process in killed:
        with suppress(psutil.NoSuchProcess):  # its parent's end was its own
            process.kill()


def kill_a_run(platform: Platform) -> None:
    [worker, *_] = wait_for("a run", platform.runs)
    with suppress(psutil.NoSuchProcess):
        worker.kill()


def restart_valkey(platform: Platform) -> None:
    [valkey] = platform.processes("valkey-server")
    valkey.terminate()
    valkey.wait(timeout=20)


TROUBLE = (
    (0.10, kill_chrome),
    (0.25, kill_a_run),
    (0.40, kill_chrome),
    (0.55, restart_valkey),
    (0.70, kill_chrome),
)


def read(user: PlatformUser, url: str) -> dict[str, object]:
    """Return a batch's status, as soon as the API gives it (Redis may be just coming back)."""

    def answered() -> dict[str, object] | None:
        answer = user.http.get(url)
        return answer.json() if answer.status_code == httpx.codes.OK else None

    return wait_for("the batch's status", answered, seconds=90)


@pytest.mark.timeout(SECONDS * 2)
def test_each_company_of_a_batch_ends_in_its_right_outcome_whatever_dies(soaked: Platform) -> None:
    idnos = [make_idno(FAULTY_NUMBERS[number]) for number in range(COMPANIES)]
    sampler = Sampler(soaked)
    thread = threading.Thread(target=sampler.run)
    thread.start()
    try:
        with soaked.signed_in() as user:
            answer = user.http.post("/scrape/batch/", json={"idnos": idnos, "force_refresh": True})
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            url = answer.json()["status_url"]
            for share, trouble in TROUBLE:

                def far_enough(share: float = share) -> bool:
                    done = soaked.query("SELECT count(DISTINCT idno) AS n FROM run_results")[0]["n"]
                    return bool(done >= share * COMPANIES)

                wait_for(f"{share:.0%} of the batch", far_enough, seconds=SECONDS, pause_seconds=0.5)
                trouble(soaked)
            status = wait_for(
                "the end of the batch",
                lambda: found if (found := read(user, url))["state"] != "running" else None,
                seconds=SECONDS,
                pause_seconds=1,
            )
            soaked.wait_until_only_warm_browsers_remain()
    finally:
        sampler.stopped.set()
        thread.join()

    check_outcomes(status, idnos)
    check_nothing_is_lost_or_doubled(soaked, idnos)
    check_nothing_is_left(soaked)
    check_memory(sampler)


def check_outcomes(status: dict[str, object], idnos: list[str]) -> None:
    companies = status["companies"]
    assert isinstance(companies, list)
    states = {company["idno"]: (company["state"], company["outcome"]) for company in companies}
    outcomes = {idno: expected_outcome(idno) for idno in idnos}
    expected = {idno: (STATES.get(outcome, "failed"), outcome) for idno, outcome in outcomes.items()}
    wrong = {idno: (states.get(idno), then) for idno, then in expected.items() if states.get(idno) != then}
    assert wrong == {}, [company for company in companies if company["idno"] in wrong]
    assert len(companies) == len(idnos)


def check_nothing_is_lost_or_doubled(platform: Platform, idnos: list[str]) -> None:
    good = [idno for idno in idnos if expected_outcome(idno) is Outcome.OK]
    rows = platform.query(
        "SELECT idno, count(*) AS n FROM source_data WHERE outcome IN ('ok', 'not_found') GROUP BY idno"
    )
    assert {row["idno"]: row["n"] for row in rows if row["n"] > 1} == {}
    records = platform.query("SELECT idno FROM transformed_data")
    assert sorted(row["idno"] for row in records) == sorted(good)


def check_nothing_is_left(platform: Platform) -> None:
    # The batch is over with its last company, its run a moment later.
    platform.wait_until_only_warm_browsers_remain()
    wait_for("an empty spool", lambda: not any(platform.home.work.glob("spool/*/*")))


def check_memory(sampler: Sampler) -> None:
    for samples in sampler.bytes_by_process.values():
        third = len(samples) // 3
        if third < 10:
            continue  # too short a life to say anything
        early, late = median(samples[third : 2 * third]), median(samples[-third:])
        assert late < early * MOST_GROWTH + SPARE_BYTES


@pytest.mark.timeout(900)
def test_a_site_that_challenges_everybody_is_left_alone_and_its_requests_go_on_by_themselves(
    soaked: Platform,
) -> None:
    idnos = [make_idno(2_000 + number) for number in range(16)]
    soaked.wait_until_healthy()
    soaked.site.challenging = True
    soaked.site.log.clear()
    with soaked.signed_in() as user:
        url = user.http.post("/scrape/batch/", json={"idnos": idnos}).json()["status_url"]

        def deferred() -> list[dict[str, object]] | None:
            companies = read(user, url)["companies"]
            assert isinstance(companies, list)
            return [company for company in companies if company["state"] == "deferred"] or None

        waiting = wait_for("deferred companies", deferred, seconds=120)
        assert all(company["deferred_until"] for company in waiting)
        assert all("challenges" in str(company["error"]) for company in waiting)
        [pause] = user.http.get("/health/").json()["pauses"]
        assert pause["host"] in soaked.site.url
        assert "challenges" in pause["reason"]
        # Eight opened it; the tabs beside were under way.
        asked = len(soaked.site.documents())
        assert 8 <= asked <= 12
        soaked.site.challenging = False
        status = wait_for(
            "the end of the batch",
            lambda: found if (found := read(user, url))["state"] != "running" else None,
            seconds=240,
        )
    companies = status["companies"]
    assert isinstance(companies, list)
    states = {company["idno"]: company["state"] for company in companies}
    assert all(states[company["idno"]] == "succeeded" for company in waiting)
    assert set(states.values()) == {"succeeded", "blocked"}
    # (A visit that a busy machine was too slow for is made once more.)
    assert len(idnos) <= len(soaked.site.documents()) <= len(idnos) + 2
