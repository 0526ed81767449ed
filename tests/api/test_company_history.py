"""Past records (`as_of`) and changes: changes at the source are distinguished from corrections of the parser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.companies.service import consistent_read
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from tests.api.record_factory import add_visit, quarantine_capture, store_record
from warehouse.contract import Outcome
from warehouse.records.history import load_first_recorded_at
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

# Changes cannot be deleted, so each test has its own company.
IDNOS = map(make_idno, count(8100))
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = Party(name="Ana Popa", kind=PartyKind.PERSON, share=Decimal("60"))
ION = Party(name="Ion Rusu", kind=PartyKind.PERSON, share=Decimal("40"), source_id="17")

LABELS = {"f6_010": "Venituri din vînzări", "f5_430": "Total active"}


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


def statement(year: int, **rows: str) -> Statement:
    """Return a statement whose rows are given by form and row: f6_010="12.50"."""
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
        "remarks": {"status": ("în lichidare",)},
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
        "remarks": {},
        "incomplete_lists": ("founders",),
        "founders": (),
        "unlicensed_activities": (),
        "statements": (
            READ_BETTER.statements[0],
            # One row changed, one was added, one was removed; the statement of 2021 was removed.
            statement(2022, f5_430="900", f6_010="101.50", f6_030="1"),
        ),
    }
)


@dataclass
class CompanyHistory:
    """A company with a history: the endpoint's answer on each day, and the captures by letter."""

    http: httpx.AsyncClient
    idno: str = field(default_factory=lambda: next(IDNOS))
    answers: dict[float, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)

    async def get(self, path: str = "", **params: Any) -> httpx.Response:
        return await self.http.get(f"/companies/{self.idno}/{path}", params=params)

    async def at(self, number: float) -> dict[str, Any]:
        answer = await self.get(as_of=day(number).isoformat())
        assert answer.status_code == httpx.codes.OK, answer.text
        record: dict[str, Any] = answer.json()
        return record


@pytest.fixture
async def history(harness: ApiHarness) -> AsyncIterator[CompanyHistory]:
    """A company: first record on day 1, moved on day 5, corrected on day 8, sold on day 10, unchanged on day 12."""
    async with harness.signed_in() as http:
        history = CompanyHistory(http)

        async def record(number: float, letter: str, facts: CompanyFacts, **options: Any) -> None:
            with harness.databases.warehouse() as connection:
                own = facts.model_copy(update={"idno": history.idno})
                history.captures[letter] = store_record(connection, own, at=day(number), **options)
            history.answers[number] = (await history.get()).json()

        await record(1, "a", FIRST)
        await record(5, "b", MOVED)
        again = {"capture_id": history.captures["b"], "fetched_at": day(5)}
        await record(8, "b", READ_BETTER, **again, version=2, cause=Cause.PARSER)
        await record(10, "c", SOLD, fetched_at=day(9), version=2)
        # Neither of these two captures changed the record.
        with harness.databases.warehouse() as connection:
            add_visit(connection, history.idno, at=day(10.5), outcome=Outcome.TIMEOUT)
            quarantine_capture(
                connection, history.idno, add_visit(connection, history.idno, at=day(11)), at=day(11)
            )
        await record(12, "d", SOLD, version=2)
        yield history


def facts_of(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("source", "as_of")}


ANSWERED = {1: 1, 3: 1, 4.99: 1, 5: 5, 7.5: 5, 8: 8, 9.5: 8, 10: 10, 11: 10, 12: 12, 13: 12}
"""Day → the day of the current answer at that time."""


async def test_past_record_equals_the_answer_at_that_time(history: CompanyHistory) -> None:
    for when, answered in ANSWERED.items():
        then = await history.at(when)
        assert facts_of(then) == facts_of(history.answers[answered]), when
        assert datetime.fromisoformat(then["as_of"]) == day(when)


async def test_answers_differ_between_changes(history: CompanyHistory) -> None:
    facts = [facts_of(history.answers[number]) for number in (1, 5, 8, 10, 12)]
    assert facts[0] != facts[1] != facts[2] != facts[3] == facts[4]
    assert (await history.at(5))["statements"][0]["revenue"] == "200"
    assert [statement["year"] for statement in (await history.at(9))["statements"]] == [2023, 2022, 2021]
    assert (await history.at(9))["statements"][1]["revenue"] == "100.50"


SOURCES = [
    (1, "a", None),  # the version of the first reading is not stored
    (5, "b", 1), (7.5, "b", 1), (8, "b", 2), (9.5, "b", 2),
    (10, "c", 2), (10.7, "c", 2), (11.5, "c", 2), (12, "d", 2), (13, "d", 2),
]  # fmt: skip


async def test_past_record_names_its_capture_and_known_version(history: CompanyHistory) -> None:
    made = {"a": 1, "b": 5, "c": 9, "d": 12}
    for when, capture, version in SOURCES:
        source = (await history.at(when))["source"]
        assert source["source_data_id"] == history.captures[capture], when
        assert source["transform_version"] == version, when
        assert datetime.fromisoformat(source["fetched_at"]) == day(made[capture])
        assert source["url"].endswith(history.idno)
        assert len(source["raw_html_sha256"]) == 64


async def test_date_means_its_end_and_today_means_now(history: CompanyHistory) -> None:
    then = (await history.get(as_of=day(5).date().isoformat())).json()
    assert datetime.fromisoformat(then["as_of"]) == datetime(2026, 3, 6, 23, 59, 59, 999999, tzinfo=UTC)
    assert facts_of(then) == facts_of(history.answers[5])

    today = (await history.get(as_of=datetime.now(UTC).date().isoformat())).json()
    assert facts_of(today) == facts_of(history.answers[12])
    assert abs(datetime.fromisoformat(today["as_of"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_time_zone_is_respected_even_with_an_unencoded_plus(history: CompanyHistory) -> None:
    for zone in ("+02:00", "%2B02:00"):
        answer = await history.http.get(f"/companies/{history.idno}/?as_of=2026-03-06T13:59:59{zone}")
        assert datetime.fromisoformat(answer.json()["as_of"]) == day(5) - timedelta(seconds=1)
        assert facts_of(answer.json()) == facts_of(history.answers[1])


async def test_time_before_the_first_record_is_not_found_with_its_date(history: CompanyHistory) -> None:
    answer = await history.get(as_of=day(0.99).isoformat())

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "since 2026-03-02T12:00:00Z" in answer.json()["detail"]
    unknown = await history.http.get(f"/companies/{next(IDNOS)}/", params={"as_of": "2026-03-03"})
    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert "has no record" in unknown.json()["detail"]


INVALID_TIMES = [
    ("2026-03-05T12:00:00", "with a time zone"),
    ("2026-03-05 12:00:00Z", "with a time zone"),
    ("yesterday", "must be a date"),
    ("", "must be a date"),
    ("20260305", "must be a date"),
    ("1700000000", "must be a date"),
    ("２026-03-05", "must be a date"),
    ("2026-02-31", "does not exist"),
    ("2026-03-05T25:00:00Z", "does not exist"),
    ("0001-01-01T00:00:00+10:00", "does not exist"),
    ("2026-03-05\n", "must be a date"),
    ("9999-12-31", "in the future"),
    ((datetime.now(UTC) + timedelta(days=1)).date().isoformat(), "in the future"),
    ((datetime.now(UTC) + timedelta(hours=1)).isoformat(), "in the future"),
]


async def test_invalid_time_is_refused_with_field_value_and_format(
    harness: ApiHarness,
) -> None:
    async with harness.signed_in() as http:
        for text, reason in INVALID_TIMES:
            answer = await http.get(f"/companies/{next(IDNOS)}/", params={"as_of": text})
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, text
            [error] = answer.json()["errors"]
            assert (error["field"], error["value"]) == ("as_of", text)
            assert reason in error["reason"]
            assert "2026-09-01T12:00:00Z" in error["reason"]


async def test_changes_are_listed_newest_first_with_cause_and_values(history: CompanyHistory) -> None:
    changes = (await history.get("changes/")).json()["changes"]

    ids = [change["id"] for change in changes]
    assert ids == sorted(ids, reverse=True)
    by_field = {
        change["field"]: change for change in changes if change["source_data_id"] == history.captures["c"]
    }
    assert set(by_field) == {
        *("name", "status", "founders", "unlicensed_activities", "remarks", "incomplete_lists"),
        *("statements/2021", "statements/2022"),
    }
    assert (by_field["name"]["old"], by_field["name"]["new"]) == ("LENTILE GRUP", "LENTILE")
    assert by_field["name"]["cause"] == "source"
    assert datetime.fromisoformat(by_field["name"]["observed_at"]) == day(9)
    assert datetime.fromisoformat(by_field["name"]["recorded_at"]) == day(10)
    assert by_field["name"]["previous_source_data_id"] == history.captures["b"]
    assert (by_field["name"]["previous_version"], by_field["name"]["transform_version"]) == (2, 2)
    assert by_field["statements/2021"]["new"] is None
    assert {
        row: line and line["value"] for row, line in by_field["statements/2022"]["new"]["lines"].items()
    } == {
        "6/010": "101.50",
        "6/020": None,
        "6/030": "1",
    }


async def test_changes_of_source_and_parser_are_distinguished(history: CompanyHistory) -> None:
    parser_changes = (await history.get("changes/", cause="parser")).json()["changes"]
    source_changes = (await history.get("changes/", cause="source")).json()["changes"]

    assert {change["field"] for change in parser_changes} == {"legal_form_name", "founders"}
    assert {change["transform_version"] for change in parser_changes} == {2}
    assert {change["cause"] for change in source_changes} == {"source"}
    assert len(source_changes) == 12
    assert len((await history.get("changes/")).json()["changes"]) == 14


async def test_changes_can_be_filtered_by_field(history: CompanyHistory) -> None:
    for asked, expected in {
        "address": ["address"],
        "remarks": ["remarks", "remarks"],
        "statements/2022": ["statements/2022"],
        "statements": ["statements/2022", "statements/2021", "statements/2023"],
        "registered_on": [],
    }.items():
        changes = (await history.get("changes/", field=asked)).json()["changes"]
        assert [change["field"] for change in changes] == expected


async def test_changes_can_be_filtered_by_time_or_date(history: CompanyHistory) -> None:
    for since, expected in ((day(10).isoformat(), 8), (day(10).date().isoformat(), 8), ("2026-03-10", 8),
                            (day(8).isoformat(), 10), (day(10.1).isoformat(), 0), ("2099-01-01", 0)):  # fmt: skip
        changes = (await history.get("changes/", since=since)).json()["changes"]
        assert len(changes) == expected, since


async def test_pages_of_changes_have_no_gaps(history: CompanyHistory) -> None:
    whole = (await history.get("changes/")).json()
    assert whole["next"] is None
    pages, before = [], None
    while True:
        page = (await history.get("changes/", limit=5, **({"before_id": before} if before else {}))).json()
        pages.append(page["changes"])
        before = page["next"]
        if before is None:
            break
    assert [len(page) for page in pages] == [5, 5, 4]
    assert [change for page in pages for change in page] == whole["changes"]
    exact = (await history.get("changes/", limit=14)).json()
    assert exact["next"] is None


INVALID_PARAMETERS = [
    ("cause", "news"), ("field", "idno"), ("field", "statements/x"), ("field", "name\n"), ("since", "monday"),
    ("limit", "0"), ("limit", "1001"), ("before_id", "0"), ("before_id", str(2**63)),
]  # fmt: skip


async def test_invalid_change_parameters_are_refused_by_name(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        for parameter, value in INVALID_PARAMETERS:
            answer = await http.get(f"/companies/{next(IDNOS)}/changes/", params={parameter: value})
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, (parameter, value)
            assert [error["field"] for error in answer.json()["errors"]] == [parameter]


async def test_company_without_changes_has_an_empty_list(
    harness: ApiHarness,
) -> None:
    unchanged, unknown = next(IDNOS), next(IDNOS)
    harness.finish_company(str(uuid4()), unchanged)
    async with harness.signed_in() as http:
        assert (await http.get(f"/companies/{unchanged}/changes/")).json() == {"changes": [], "next": None}
        assert (await http.get(f"/companies/{unknown}/changes/")).status_code == httpx.codes.NOT_FOUND


async def test_past_record_is_right_despite_a_slow_clock(harness: ApiHarness) -> None:
    facts = FIRST.model_copy(update={"idno": next(IDNOS), "statements": (statement(2020, f6_010="1"),)})
    with harness.databases.warehouse() as connection:
        store_record(connection, facts, at=day(1))
        store_record(
            connection, facts.model_copy(update={"statements": (statement(2020, f6_010="2"),)}), at=day(6)
        )
        # Another machine, whose clock is slow, sees that the statement was withdrawn.
        store_record(connection, facts.model_copy(update={"statements": ()}), at=day(4))
    async with harness.signed_in() as http:
        answer = await http.get(f"/companies/{facts.idno}/", params={"as_of": day(5).isoformat()})
        assert answer.status_code == httpx.codes.OK, answer.text
        assert [statement["revenue"] for statement in answer.json()["statements"]] == ["1"]


async def test_past_record_names_a_capture_that_was_put_into_quarantine_only_later(
    harness: ApiHarness,
) -> None:
    facts = FIRST.model_copy(update={"idno": next(IDNOS)})
    with harness.databases.warehouse() as connection:
        store_record(connection, facts, at=day(1))
        capture = store_record(connection, facts, at=day(5))
        quarantine_capture(connection, facts.idno, capture, at=day(8))
        store_record(connection, facts, at=day(9))
    async with harness.signed_in() as http:
        answer = await http.get(f"/companies/{facts.idno}/", params={"as_of": day(6).isoformat()})
    assert answer.json()["source"]["source_data_id"] == capture


async def test_record_is_read_consistently_during_a_write(harness: ApiHarness) -> None:
    idno = next(IDNOS)
    async with consistent_read(harness.services.warehouse) as connection:
        assert await connection.run_sync(load_first_recorded_at, idno) is None
        harness.finish_company(str(uuid4()), idno)
        assert await connection.run_sync(load_first_recorded_at, idno) is None
    async with harness.services.warehouse.connect() as connection:
        assert await connection.run_sync(load_first_recorded_at, idno) is not None
