"""A company's record as it was known at a time, and what changed: news told apart from corrections of our reading."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.companies.service import one_state
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from tests.api.record_factory import add_visit, put, set_aside
from warehouse.contract import Outcome
from warehouse.records.history import load_held_since
from warehouse.records.models import (
    Activity,
    AddressParts,
    Cause,
    CompanyFacts,
    CompanyStatus,
    Party,
    PartyKind,
    Statement,
    StatementLine,
)

pytestmark = pytest.mark.anyio

# History cannot be deleted, so each test has a company of its own.
IDNOS = map(make_idno, count(8100))
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = Party(name="Ana Popa", kind=PartyKind.PERSON, share=Decimal("60"))
ION = Party(name="Ion Rusu", kind=PartyKind.PERSON, share=Decimal("40"), source_id="17")

LABELS = {"f6_010": "Venituri din vînzări", "f5_430": "Total active"}


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


def statement(year: int, **rows: str) -> Statement:
    """A statement whose rows are named by form and row: f6_010="12.50"."""
    lines = tuple(
        StatementLine(int(name[1]), name[3:], Decimal(value), LABELS.get(name))
        for name, value in sorted(rows.items())
    )
    return Statement(year=year, document_type="annual", cuiio="4055", lines=lines)


FIRST = CompanyFacts(
    idno="",
    name="LENTILE GRUP",
    legal_form="SRL",
    status=CompanyStatus.ACTIVE,
    registered_on=date(2003, 7, 9),
    address="str. Veche 1",
    address_parts=AddressParts(city="Chișinău", street="Veche"),
    founders=(ANA, ION),
    unlicensed_activities=(Activity(name="Comerț", code="46"),),
    statements=(statement(2022, f5_430="900", f6_010="100.50", f6_020="7"), statement(2021, f6_010="80")),
)
MOVED = FIRST.model_copy(
    update={
        "address": "str. Nouă 2",
        "address_parts": None,
        "statements": (statement(2023, f6_010="200"), *FIRST.statements),
    }
)
READ_BETTER = MOVED.model_copy(
    update={
        "legal_form_name": "Societate cu răspundere limitată",
        "founders": (ANA.model_copy(update={"source_id": "16"}), ION),
    }
)
SOLD = READ_BETTER.model_copy(
    update={
        "name": "LENTILE",
        "status": None,
        "founders": (),
        "unlicensed_activities": (),
        "statements": (
            READ_BETTER.statements[0],
            # A row changed, one is new, one is gone; and all of 2021 is gone.
            statement(2022, f5_430="900", f6_010="101.50", f6_030="1"),
        ),
    }
)


@dataclass
class Told:
    """A company with a history: what the platform answered at each time, and the captures by their letters."""

    http: httpx.AsyncClient
    idno: str = field(default_factory=lambda: next(IDNOS))
    answers: dict[float, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)

    async def get(self, path: str = "", **params: Any) -> httpx.Response:
        return await self.http.get(f"/companies/{self.idno}/{path}", params=params)

    async def at(self, number: float) -> dict[str, Any]:
        answer = await self.get(as_of=day(number).isoformat())
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def told(stage: ApiHarness) -> AsyncIterator[Told]:
    """The first record on day 1; it moves on day 5, is read better on day 8, sold on day 10; no change on day 12."""
    async with stage.signed_in() as http:
        told = Told(http)

        async def now(number: float, letter: str, facts: CompanyFacts, **how: Any) -> None:
            with stage.databases.warehouse() as connection:
                own = facts.model_copy(update={"idno": told.idno})
                told.captures[letter] = put(connection, own, at=day(number), **how)
            told.answers[number] = (await told.get()).json()

        await now(1, "a", FIRST)
        await now(5, "b", MOVED)
        again = {"capture_id": told.captures["b"], "fetched_at": day(5)}
        await now(8, "b", READ_BETTER, **again, version=2, cause=Cause.PARSER)
        await now(10, "c", SOLD, fetched_at=day(9), version=2)
        # None of these two became the record.
        with stage.databases.warehouse() as connection:
            add_visit(connection, told.idno, at=day(10.5), outcome=Outcome.TIMEOUT)
            set_aside(connection, told.idno, add_visit(connection, told.idno, at=day(11)), at=day(11))
        await now(12, "d", SOLD, version=2)
        yield told


def facts_of(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("source", "as_of")}


ANSWERED = {1: 1, 3: 1, 4.99: 1, 5: 5, 7.5: 5, 8: 8, 9.5: 8, 10: 10, 11: 10, 12: 12, 13: 12}
"""When, and at which time the answer had been the same last."""


async def test_a_record_as_of_a_time_is_what_was_answered_then(told: Told) -> None:
    for when, answered in ANSWERED.items():
        then = await told.at(when)
        assert facts_of(then) == facts_of(told.answers[answered]), when
        assert datetime.fromisoformat(then["as_of"]) == day(when)


async def test_the_answers_differ_where_something_happened(told: Told) -> None:
    facts = [facts_of(told.answers[number]) for number in (1, 5, 8, 10, 12)]
    assert facts[0] != facts[1] != facts[2] != facts[3] == facts[4]
    assert (await told.at(5))["statements"][0]["revenue"] == "200"
    assert [each["year"] for each in (await told.at(9))["statements"]] == [2023, 2022, 2021]
    assert (await told.at(9))["statements"][1]["revenue"] == "100.50"


SOURCES = [
    (1, "a", None),  # by which version it was read first stands nowhere
    (5, "b", 1), (7.5, "b", 1), (8, "b", 2), (9.5, "b", 2),
    (10, "c", 2), (10.7, "c", 2), (11.5, "c", 2), (12, "d", 2), (13, "d", 2),
]  # fmt: skip


async def test_it_names_the_capture_that_it_came_from_and_the_version_where_that_is_known(told: Told) -> None:
    made = {"a": 1, "b": 5, "c": 9, "d": 12}
    for when, capture, version in SOURCES:
        source = (await told.at(when))["source"]
        assert source["source_data_id"] == told.captures[capture], when
        assert source["transform_version"] == version, when
        assert datetime.fromisoformat(source["fetched_at"]) == day(made[capture])
        assert source["url"].endswith(told.idno)
        assert len(source["raw_html_sha256"]) == 64


async def test_a_day_means_its_end_and_today_means_now(told: Told) -> None:
    then = (await told.get(as_of=day(5).date().isoformat())).json()
    assert datetime.fromisoformat(then["as_of"]) == datetime(2026, 3, 6, 23, 59, 59, 999999, tzinfo=UTC)
    assert facts_of(then) == facts_of(told.answers[5])

    today = (await told.get(as_of=datetime.now(UTC).date().isoformat())).json()
    assert facts_of(today) == facts_of(told.answers[12])
    assert abs(datetime.fromisoformat(today["as_of"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_time_counts_in_its_zone_also_where_the_client_left_the_plus_unencoded(told: Told) -> None:
    for zone in ("+02:00", "%2B02:00"):
        answer = await told.http.get(f"/companies/{told.idno}/?as_of=2026-03-06T13:59:59{zone}")
        assert datetime.fromisoformat(answer.json()["as_of"]) == day(5) - timedelta(seconds=1)
        assert facts_of(answer.json()) == facts_of(told.answers[1])


async def test_before_the_first_record_there_is_none_and_the_answer_says_since_when(told: Told) -> None:
    answer = await told.get(as_of=day(0.99).isoformat())

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "since 2026-03-02T12:00:00Z" in answer.json()["detail"]
    unheld = await told.http.get(f"/companies/{next(IDNOS)}/", params={"as_of": "2026-03-03"})
    assert unheld.status_code == httpx.codes.NOT_FOUND
    assert "no record of the company" in unheld.json()["detail"]


NO_TIMES = [
    ("2026-03-05T12:00:00", "with its zone"),
    ("2026-03-05 12:00:00Z", "with its zone"),
    ("yesterday", "has to be a day"),
    ("", "has to be a day"),
    ("20260305", "has to be a day"),
    ("1700000000", "has to be a day"),
    ("２026-03-05", "has to be a day"),
    ("2026-02-31", "no time that there is"),
    ("2026-03-05T25:00:00Z", "no time that there is"),
    ("0001-01-01T00:00:00+10:00", "no time that there is"),
    ("2026-03-05\n", "has to be a day"),
    ("9999-12-31", "in the future"),
    ((datetime.now(UTC) + timedelta(days=1)).date().isoformat(), "in the future"),
    ((datetime.now(UTC) + timedelta(hours=1)).isoformat(), "in the future"),
]


async def test_what_is_no_time_up_to_now_is_refused_with_the_field_the_value_and_what_is_allowed(
    stage: ApiHarness,
) -> None:
    async with stage.signed_in() as http:
        for text, reason in NO_TIMES:
            answer = await http.get(f"/companies/{next(IDNOS)}/", params={"as_of": text})
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, text
            [error] = answer.json()["errors"]
            assert (error["field"], error["value"]) == ("as_of", text)
            assert reason in error["reason"]
            assert "2026-09-01T12:00:00Z" in error["reason"]


async def test_changes_come_newest_first_with_their_cause_and_both_values(told: Told) -> None:
    changes = (await told.get("changes/")).json()["changes"]

    ids = [change["id"] for change in changes]
    assert ids == sorted(ids, reverse=True)
    told_by = {
        change["field"]: change for change in changes if change["source_data_id"] == told.captures["c"]
    }
    assert set(told_by) == {
        *("name", "status", "founders", "unlicensed_activities", "statements/2021", "statements/2022"),
    }
    assert (told_by["name"]["old"], told_by["name"]["new"]) == ("LENTILE GRUP", "LENTILE")
    assert told_by["name"]["cause"] == "source"
    assert datetime.fromisoformat(told_by["name"]["observed_at"]) == day(9)
    assert datetime.fromisoformat(told_by["name"]["recorded_at"]) == day(10)
    assert told_by["name"]["previous_source_data_id"] == told.captures["b"]
    assert (told_by["name"]["previous_version"], told_by["name"]["transform_version"]) == (2, 2)
    assert told_by["statements/2021"]["new"] is None
    assert {
        row: line and line["value"] for row, line in told_by["statements/2022"]["new"]["lines"].items()
    } == {
        "6/010": "101.50",
        "6/020": None,
        "6/030": "1",
    }


async def test_news_and_corrections_of_our_reading_are_told_apart(told: Told) -> None:
    corrections = (await told.get("changes/", cause="parser")).json()["changes"]
    news = (await told.get("changes/", cause="source")).json()["changes"]

    assert {change["field"] for change in corrections} == {"legal_form_name", "founders"}
    assert {change["transform_version"] for change in corrections} == {2}
    assert {change["cause"] for change in news} == {"source"}
    assert len(news) == 9
    assert len((await told.get("changes/")).json()["changes"]) == 11


async def test_changes_of_one_field(told: Told) -> None:
    for asked, expected in {
        "address": ["address"],
        "statements/2022": ["statements/2022"],
        "statements": ["statements/2022", "statements/2021", "statements/2023"],
        "registered_on": [],
    }.items():
        changes = (await told.get("changes/", field=asked)).json()["changes"]
        assert [change["field"] for change in changes] == expected


async def test_changes_since_a_time_and_since_the_beginning_of_a_day(told: Told) -> None:
    for since, expected in ((day(10).isoformat(), 6), (day(10).date().isoformat(), 6), ("2026-03-10", 6),
                            (day(8).isoformat(), 8), (day(10.1).isoformat(), 0), ("2099-01-01", 0)):  # fmt: skip
        changes = (await told.get("changes/", since=since)).json()["changes"]
        assert len(changes) == expected, since


async def test_pages_of_changes_follow_each_other_without_a_gap(told: Told) -> None:
    whole = (await told.get("changes/")).json()
    assert whole["next"] is None
    pages, before = [], None
    while True:
        page = (await told.get("changes/", limit=5, **({"before_id": before} if before else {}))).json()
        pages.append(page["changes"])
        before = page["next"]
        if before is None:
            break
    assert [len(page) for page in pages] == [5, 5, 1]
    assert [change for page in pages for change in page] == whole["changes"]
    exact = (await told.get("changes/", limit=11)).json()
    assert exact["next"] is None


IMPOSSIBLE = [
    ("cause", "news"), ("field", "idno"), ("field", "statements/x"), ("field", "name\n"), ("since", "monday"),
    ("limit", "0"), ("limit", "1001"), ("before_id", "0"), ("before_id", str(2**63)),
]  # fmt: skip


async def test_parameters_that_cannot_be_are_refused_by_name(stage: ApiHarness) -> None:
    async with stage.signed_in() as http:
        for parameter, value in IMPOSSIBLE:
            answer = await http.get(f"/companies/{next(IDNOS)}/changes/", params={parameter: value})
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, (parameter, value)
            assert [error["field"] for error in answer.json()["errors"]] == [parameter]


async def test_a_company_without_changes_has_none_and_one_that_is_not_held_is_unknown(
    stage: ApiHarness,
) -> None:
    quiet, unheld = next(IDNOS), next(IDNOS)
    stage.finish_company(str(uuid4()), quiet)
    async with stage.signed_in() as http:
        assert (await http.get(f"/companies/{quiet}/changes/")).json() == {"changes": [], "next": None}
        assert (await http.get(f"/companies/{unheld}/changes/")).status_code == httpx.codes.NOT_FOUND


async def test_a_change_whose_clock_was_late_does_not_break_the_order_of_undoing(stage: ApiHarness) -> None:
    facts = FIRST.model_copy(update={"idno": next(IDNOS), "statements": (statement(2020, f6_010="1"),)})
    with stage.databases.warehouse() as connection:
        put(connection, facts, at=day(1))
        put(connection, facts.model_copy(update={"statements": (statement(2020, f6_010="2"),)}), at=day(6))
        # Another machine, whose clock is late, sees the statement withdrawn.
        put(connection, facts.model_copy(update={"statements": ()}), at=day(4))
    async with stage.signed_in() as http:
        answer = await http.get(f"/companies/{facts.idno}/", params={"as_of": day(5).isoformat()})
        assert answer.status_code == httpx.codes.OK, answer.text
        assert [each["revenue"] for each in answer.json()["statements"]] == ["1"]


async def test_a_record_is_read_in_one_state_while_others_write(stage: ApiHarness) -> None:
    idno = next(IDNOS)
    async with one_state(stage.services) as connection:
        assert await connection.run_sync(load_held_since, idno) is None
        stage.finish_company(str(uuid4()), idno)
        assert await connection.run_sync(load_held_since, idno) is None
    async with stage.services.warehouse.connect() as connection:
        assert await connection.run_sync(load_held_since, idno) is not None
