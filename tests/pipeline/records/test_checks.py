"""The checks of the stored tables: each passes on good tables, and fails when what it looks for is there."""

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
    *(checks.fill_rates, checks.unknown_fields, checks.freshness),
]
Look = Callable[[Connection], Finding]


def look(stage: RecordsHarness, check: Look) -> Finding:
    with stage.databases.warehouse() as connection:
        return check(connection)


@pytest.fixture
def filled(stage: RecordsHarness) -> RecordsHarness:
    """Records of some companies."""
    stage.put_many(IDNOS[:5])
    stage.retransform()
    return stage


@pytest.mark.parametrize("check", ALL)
def test_good_tables_pass(filled: RecordsHarness, check: Look) -> None:
    finding = look(filled, check)
    assert finding.passed, finding


@pytest.mark.parametrize("check", ALL)
def test_empty_tables_pass(stage: RecordsHarness, check: Look) -> None:
    assert look(stage, check).passed


def test_a_record_of_another_companys_capture_fails(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(
            "UPDATE transformed_data SET source_data_id = (SELECT max(id) FROM source_data)"
            f" WHERE idno = '{IDNOS[0]}'"
        )
    finding = look(filled, checks.identity)
    assert not finding.passed
    assert [row["idno"] for row in finding.rows] == [IDNOS[0]]


def test_a_record_of_a_failed_capture_fails(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(f"UPDATE source_data SET outcome = 'blocked' WHERE idno = '{IDNOS[1]}'")
    assert not look(filled, checks.identity).passed


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM transformed_data WHERE idno = (SELECT min(idno) FROM company_parties)",
        "DELETE FROM financial_statements WHERE idno = (SELECT min(idno) FROM financial_lines)",
        "UPDATE company_parties SET source_data_id = (SELECT id FROM source_data s WHERE s.idno <> company_parties.idno"
        " LIMIT 1)",
    ],
)
def test_rows_without_what_they_belong_to_fail(filled: RecordsHarness, damage: str) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(damage)
    finding = look(filled, checks.references)
    assert not finding.passed and finding.rows


def test_companies_that_lost_their_record_fail(filled: RecordsHarness) -> None:
    with filled.owner() as owner:
        owner.exec_driver_sql(f"DELETE FROM transformed_data WHERE idno = '{IDNOS[0]}'")
    finding = look(filled, checks.counts)
    assert (finding.passed, finding.summary.partition(" (")[0]) == (
        False,
        "4 records for 5 companies with a good capture",
    )


def test_companies_in_quarantine_are_not_missed(filled: RecordsHarness) -> None:
    filled.put(IDNOS[6], with_company=False, html="<h1>ALTA</h1>")
    filled.retransform()
    assert look(filled, checks.counts).passed


def test_a_field_that_is_suddenly_stated_less_often_is_a_warning(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MIN_COMPANIES", 5)
    before = stages.RecordsHarness(stage.databases, monkeypatch, _now=datetime.now(UTC) - timedelta(days=20))
    before.put_many(IDNOS[:8])
    now = stages.RecordsHarness(stage.databases, monkeypatch, _now=datetime.now(UTC) - timedelta(days=2))
    for idno in IDNOS[10:18]:
        now.put(idno, changes={"address": None})
    stage.retransform()

    finding = look(stage, checks.fill_rates)
    assert not finding.passed
    assert finding.summary.startswith("present much less often than in the weeks before: address")
    rates = {row["field"]: (row["before_per_cent"], row["now_per_cent"]) for row in finding.rows}
    assert rates["address"][1] == 0 and int(rates["address"][0]) > 50


def test_a_field_never_seen_before_is_a_warning(filled: RecordsHarness) -> None:
    filled.put(IDNOS[7], changes={"rating": 5})
    filled.retransform()
    finding = look(filled, checks.unknown_fields)
    assert not finding.passed
    assert "rating" in str(finding.rows[0]["field"])


def test_tracked_companies_long_overdue_are_a_warning(stage: RecordsHarness) -> None:
    with stage.owner() as owner:
        owner.exec_driver_sql(
            "INSERT INTO tracked_companies"
            " (idno, every_hours, due_at, sweep_id, sweep_page, first_seen_at, last_seen_at)"
            f" VALUES ('{IDNOS[0]}', 1, now() - interval '8 days', 1, 0, now(), now())"
        )
    try:
        finding = look(stage, checks.freshness)
    finally:
        with stage.owner() as owner:
            owner.exec_driver_sql("DELETE FROM tracked_companies")
    assert (finding.passed, finding.figures) == (False, {"tracked": 1, "late": 1})


def test_errors_block_and_the_rest_warns() -> None:
    blocking = {spec.name: spec.blocking for definition in CHECKS for spec in definition.check_specs}
    assert blocking == {
        **dict.fromkeys(("identity", "references", "counts"), True),
        **dict.fromkeys(("fill_rates", "unknown_fields", "freshness"), False),
    }
