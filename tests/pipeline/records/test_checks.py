"""Tests of the checks: each passes on good tables and fails on the error that it looks for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from pipeline.defs import checks
from pipeline.defs.checks import CHECKS, Finding
from standin.site_facts import make_idno
from tests.pipeline.records import records_harness as stages
from tests.pipeline.records.records_harness import RecordsHarness

IDNOS = [make_idno(number) for number in range(60)]
ALL = [
    *(checks.identity, checks.references, checks.counts),
    *(checks.fill_rates, checks.unknown_fields, checks.unread_texts, checks.freshness),
]
Check = Callable[[Connection], Finding]


def run_check(harness: RecordsHarness, check: Check) -> Finding:
    with harness.databases.warehouse() as connection:
        return check(connection)


@pytest.fixture
def filled(harness: RecordsHarness) -> RecordsHarness:
    """A warehouse with records of five companies."""
    harness.put_many(IDNOS[:5])
    harness.retransform()
    return harness


@pytest.mark.parametrize("check", ALL)
def test_check_passes_on_good_tables(filled: RecordsHarness, check: Check) -> None:
    finding = run_check(filled, check)
    assert finding.passed, finding


@pytest.mark.parametrize("check", ALL)
def test_check_passes_on_empty_tables(harness: RecordsHarness, check: Check) -> None:
    assert run_check(harness, check).passed


def test_record_from_another_companys_capture_fails(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(
            "UPDATE transformed_data SET source_data_id = (SELECT max(id) FROM source_data)"
            f" WHERE idno = '{IDNOS[0]}'"
        )
    finding = run_check(filled, checks.identity)
    assert not finding.passed
    assert [row["idno"] for row in finding.rows] == [IDNOS[0]]


def test_record_from_a_failed_capture_fails(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(f"UPDATE source_data SET outcome = 'blocked' WHERE idno = '{IDNOS[1]}'")
    assert not run_check(filled, checks.identity).passed


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM transformed_data WHERE idno = (SELECT min(idno) FROM company_parties)",
        "DELETE FROM financial_statements WHERE idno = (SELECT min(idno) FROM financial_lines)",
        "UPDATE company_parties SET source_data_id = (SELECT id FROM source_data s WHERE s.idno <> company_parties.idno"
        " LIMIT 1)",
    ],
)
def test_rows_without_their_record_or_capture_fail(filled: RecordsHarness, damage: str) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(damage)
    finding = run_check(filled, checks.references)
    assert not finding.passed and finding.rows


def test_missing_record_fails(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(f"DELETE FROM transformed_data WHERE idno = '{IDNOS[0]}'")
    finding = run_check(filled, checks.counts)
    assert (finding.passed, finding.summary.partition(" (")[0]) == (
        False,
        "4 records for 5 companies with a good capture",
    )


def test_company_in_quarantine_needs_no_record(filled: RecordsHarness) -> None:
    filled.put(IDNOS[6], with_company=False, html="<h1>ALTA</h1>")
    filled.retransform()
    assert run_check(filled, checks.counts).passed


def test_field_that_becomes_rare_causes_a_warning(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MIN_COMPANIES", 5)
    before = stages.RecordsHarness(
        harness.databases, monkeypatch, _now=datetime.now(UTC) - timedelta(days=20)
    )
    before.put_many(IDNOS[:8])
    now = stages.RecordsHarness(harness.databases, monkeypatch, _now=datetime.now(UTC) - timedelta(days=2))
    for idno in IDNOS[10:18]:
        now.put(idno, changes={"address": None})
    harness.retransform()

    finding = run_check(harness, checks.fill_rates)
    assert not finding.passed
    assert finding.summary.startswith("present much less often than in the weeks before: address")
    rates = {row["field"]: (row["before_per_cent"], row["now_per_cent"]) for row in finding.rows}
    assert rates["address"][1] == 0 and int(rates["address"][0]) > 50


def test_unknown_field_causes_a_warning(filled: RecordsHarness) -> None:
    filled.put(IDNOS[7], changes={"rating": 5})
    filled.retransform()
    finding = run_check(filled, checks.unknown_fields)
    assert not finding.passed
    assert "rating" in str(finding.rows[0]["field"])


def test_unread_text_causes_a_warning_that_quotes_no_text_about_parties(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(
            "UPDATE transformed_data SET unread = '["
            '{"field": "status", "text": "suspendat", "reason": "not a status"},'
            ' {"field": "founders", "text": "ION 1 din 3", "reason": "not a party"}'
            f"]' WHERE idno IN ('{IDNOS[0]}', '{IDNOS[1]}')"
        )
    finding = run_check(filled, checks.unread_texts)
    assert not finding.passed
    counts = {"texts": 2, "companies": 2, "example": min(IDNOS[:2])}
    assert finding.rows == (
        {"field": "founders", "reason": "not a party", **counts, "text": ""},
        {"field": "status", "reason": "not a status", **counts, "text": "suspendat"},
    )


def test_overdue_tracked_companies_cause_a_warning(harness: RecordsHarness) -> None:
    with harness.owner() as owner:
        owner.exec_driver_sql(
            "INSERT INTO tracked_companies"
            " (idno, every_hours, due_at, sweep_id, sweep_page, first_seen_at, last_seen_at)"
            f" VALUES ('{IDNOS[0]}', 1, now() - interval '8 days', 1, 0, now(), now())"
        )
    try:
        finding = run_check(harness, checks.freshness)
    finally:
        with harness.owner() as owner:
            owner.exec_driver_sql("DELETE FROM tracked_companies")
    assert (finding.passed, finding.figures) == (False, {"tracked": 1, "late": 1})


def test_only_error_checks_are_blocking() -> None:
    blocking = {spec.name: spec.blocking for definition in CHECKS for spec in definition.check_specs}
    assert blocking == {
        **dict.fromkeys(("identity", "references", "counts"), True),
        **dict.fromkeys(("fill_rates", "unknown_fields", "unread_texts", "freshness", "sweeps"), False),
    }
