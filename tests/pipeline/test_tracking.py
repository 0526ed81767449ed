"""Tests of tracked companies: their due times, and the order in which they are selected."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from pipeline.defs.selection import CompanySelection
from pipeline.records.capture_store import store_body
from pipeline.register.listing import ListedCompany
from pipeline.register.sweeps import open_sweep
from pipeline.register.tracking import (
    DEFAULT_INTERVAL_HOURS,
    is_any_due,
    schedule_next_visit,
    select_companies,
    track,
)
from standin.site_facts import with_check_digit
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.schema import database_roles

# No other test uses companies of these years; all tests share one warehouse.
YEAR, NEXT_YEAR = 2040, 2041
NOW = datetime.now(UTC)
A_MONTH = timedelta(hours=DEFAULT_INTERVAL_HOURS)


def _idno(number: int, year: int = YEAR) -> str:
    return with_check_digit(f"1{year - 2000:03d}998{number:05d}")


@dataclass
class Tracker:
    """Writes test data in one transaction, which is rolled back after the test."""

    connection: Connection
    sweep_id: int
    idnos: list[str] = field(default_factory=lambda: [_idno(number) for number in range(9)])

    def track(self, *idnos: str, **facts: Any) -> int:
        companies = [
            ListedCompany(
                idno=idno,
                name=facts.get("name", f"FIRMA {idno}"),
                legal_form=facts.get("legal_form", "SRL"),
                is_active=facts.get("is_active", True),
                registered_on=None,
            )
            for idno in idnos
        ]
        return track(
            self.connection, companies, sweep_id=self.sweep_id, page=0, seen_at=facts.get("seen_at", NOW)
        )

    def capture(self, idno: str, outcome: Outcome, *, days_ago: float = 0) -> None:
        self.connection.execute(
            text(
                "INSERT INTO source_data (idno, url, outcome, raw_html_sha256, fetched_at, duration_ms, run_id)"
                " VALUES (:idno, 'http://site/companies/', :outcome, :body, :at, 1, 'a run')"
            ),
            {
                "idno": idno,
                "outcome": outcome,
                "body": store_body(self.connection, b"<html>", "text/html"),
                "at": NOW - timedelta(days=days_ago),
            },
        )

    def row(self, idno: str) -> Any:
        query = text("SELECT * FROM tracked_companies WHERE idno = :idno")
        return self.connection.execute(query, {"idno": idno}).one()

    def selected(self, **config: Any) -> list[str]:
        cohort = {"cohort": YEAR} if "select" in config else {}
        return select_companies(self.connection, CompanySelection(**{**cohort, **config}))


@pytest.fixture
def tracker(databases: Databases) -> Iterator[Tracker]:
    with databases.warehouse(database_roles.WAREHOUSE_OWNER) as owner:
        owner.execute(text("DELETE FROM tracked_companies"))
    with databases.engine(database_roles.PIPELINE).connect() as connection:
        sweep = open_sweep(connection, f"tests {uuid4()}", page_size=10, restart=False)
        yield Tracker(connection, sweep.id)
        connection.rollback()


def test_a_new_company_is_due_immediately(tracker: Tracker) -> None:
    first, second, *_ = tracker.idnos
    assert tracker.track(first, second) == 2
    assert tracker.row(first).due_at == NOW
    assert tracker.row(first).captured_at is None
    assert tracker.selected(select="due") == sorted([first, second])


def test_a_new_company_with_a_capture_is_due_when_that_gets_old(tracker: Tracker) -> None:
    fresh, stale, failed, *_ = tracker.idnos
    tracker.capture(fresh, Outcome.OK, days_ago=1)
    tracker.capture(fresh, Outcome.TIMEOUT)
    tracker.capture(stale, Outcome.NOT_FOUND, days_ago=40)
    tracker.capture(failed, Outcome.TIMEOUT, days_ago=1)
    tracker.track(fresh, stale, failed)

    assert tracker.row(fresh).due_at == NOW - timedelta(days=1) + A_MONTH
    assert tracker.selected(select="due") == [stale, failed]


def test_tracking_a_company_again_updates_it_but_not_its_due_time(tracker: Tracker) -> None:
    idno = tracker.idnos[0]
    tracker.track(idno, name="VECHI")
    schedule_next_visit(tracker.connection, idno=idno, outcome=Outcome.OK, fetched_at=NOW)
    due_at, later = tracker.row(idno).due_at, NOW + timedelta(hours=1)

    assert tracker.track(idno, name="NOU", legal_form=None, is_active=False, seen_at=later) == 0
    row = tracker.row(idno)
    assert (row.name, row.legal_form, row.is_active) == ("NOU", "SRL", False)
    assert (row.due_at, row.first_seen_at, row.last_seen_at) == (due_at, NOW, later)


def test_a_company_listed_twice_on_a_page_is_tracked_once(tracker: Tracker) -> None:
    assert tracker.track(tracker.idnos[0], tracker.idnos[0]) == 1
    assert tracker.track() == 0


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.NOT_FOUND])
def test_after_a_good_capture_the_company_is_due_after_the_interval(
    tracker: Tracker, outcome: Outcome
) -> None:
    idno = tracker.idnos[0]
    tracker.track(idno)
    schedule_next_visit(tracker.connection, idno=idno, outcome=Outcome.TIMEOUT, fetched_at=NOW)
    schedule_next_visit(tracker.connection, idno=idno, outcome=outcome, fetched_at=NOW)

    row = tracker.row(idno)
    assert (row.captured_at, row.due_at, row.failures) == (NOW, NOW + A_MONTH, 0)
    assert tracker.selected(select="due") == []
    assert not is_any_due(tracker.connection)


def test_each_failure_doubles_the_wait_up_to_the_interval(
    tracker: Tracker,
) -> None:
    idno = tracker.idnos[0]
    tracker.track(idno)
    waits = []
    for _ in range(40):
        schedule_next_visit(tracker.connection, idno=idno, outcome=Outcome.SERVER_ERROR, fetched_at=NOW)
        waits.append((tracker.row(idno).due_at - NOW) / timedelta(hours=1))

    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == DEFAULT_INTERVAL_HOURS
    assert waits == sorted(waits)
    assert (tracker.row(idno).captured_at, tracker.row(idno).failures) == (None, 40)


def test_an_older_capture_recorded_late_does_not_change_the_due_time(tracker: Tracker) -> None:
    idno = tracker.idnos[0]
    tracker.track(idno)
    schedule_next_visit(tracker.connection, idno=idno, outcome=Outcome.OK, fetched_at=NOW)
    schedule_next_visit(
        tracker.connection, idno=idno, outcome=Outcome.TIMEOUT, fetched_at=NOW - timedelta(hours=1)
    )
    assert tracker.row(idno).due_at == NOW + A_MONTH


def test_a_capture_of_an_untracked_company_does_not_track_it(tracker: Tracker) -> None:
    schedule_next_visit(tracker.connection, idno=tracker.idnos[0], outcome=Outcome.OK, fetched_at=NOW)
    assert not tracker.connection.execute(text("SELECT 1 FROM tracked_companies")).all()


def test_due_companies_are_selected_most_overdue_first(tracker: Tracker) -> None:
    for days_ago, idno in zip((33, 45, 31, 38, 2), tracker.idnos, strict=False):
        tracker.track(idno)
        schedule_next_visit(
            tracker.connection, idno=idno, outcome=Outcome.OK, fetched_at=NOW - timedelta(days=days_ago)
        )
    a, b, c, d, _ = tracker.idnos[:5]
    assert tracker.selected(select="due") == [b, d, a, c]
    assert tracker.selected(select="due", limit=2) == [b, d]


def test_companies_whose_newest_capture_failed_are_selected_oldest_first(tracker: Tracker) -> None:
    recovered, gone, second, first, again, *_ = tracker.idnos
    for idno, *outcomes in (
        (recovered, Outcome.TIMEOUT, Outcome.OK),
        (gone, Outcome.BLOCKED, Outcome.NOT_FOUND),
        (first, Outcome.SERVER_ERROR),
        (second, Outcome.OK, Outcome.WRONG_PAGE),
        (again, Outcome.TIMEOUT, Outcome.TIMEOUT),
    ):
        for outcome in outcomes:
            tracker.capture(idno, outcome)
    assert tracker.selected(select="failed") == [first, second, again]


def test_all_tracked_or_captured_companies_are_selected_by_idno(tracker: Tracker) -> None:
    tracked, both, captured, *_ = tracker.idnos
    tracker.track(tracked, both)
    for idno in (both, both, captured):
        tracker.capture(idno, Outcome.OK)
    assert tracker.selected(select="all") == sorted([tracked, both, captured])
    assert tracker.selected(select="all", limit=2) == sorted([tracked, both, captured])[:2]


@pytest.mark.parametrize("which", ["due", "failed", "all"])
def test_a_cohort_selects_companies_by_the_year_in_their_idno(tracker: Tracker, which: str) -> None:
    first, second, of_next_year = _idno(1), _idno(2), _idno(1, NEXT_YEAR)
    for idno in (first, second, of_next_year):
        tracker.track(idno)
        tracker.capture(idno, Outcome.TIMEOUT)
    assert set(tracker.selected(select=which)) == {first, second}
    assert tracker.selected(select=which, cohort=str(NEXT_YEAR)) == [of_next_year]
    assert {first, of_next_year} <= set(tracker.selected(select=which, cohort=None))


@pytest.mark.parametrize("which", ["due", "failed", "all"])
def test_companies_with_a_good_capture_since_a_time_are_left_out(tracker: Tracker, which: str) -> None:
    recent, old, never = tracker.idnos[:3]
    tracker.track(recent, old, never)
    tracker.capture(recent, Outcome.OK, days_ago=1)
    tracker.capture(old, Outcome.OK, days_ago=9)
    for idno in (recent, old, never):
        tracker.capture(idno, Outcome.TIMEOUT)
    since = (NOW - timedelta(days=3)).isoformat()
    assert set(tracker.selected(select=which)) == {recent, old, never}
    assert set(tracker.selected(select=which, since=since)) == {old, never}


def test_named_companies_are_selected_in_the_given_order(tracker: Tracker) -> None:
    idnos = tracker.idnos[::-1]
    assert tracker.selected(idnos=idnos) == idnos
