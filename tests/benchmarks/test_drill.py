"""The fault drill: a small run passes, and the checks detect losses."""

import argparse
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.drill.__main__ import parts_of
from benchmarks.drill.drill_checks import lost_companies, wrong_answers
from benchmarks.drill.drill_faults import ALL, QUICK, FaultKind
from benchmarks.drill.ledger import LedgerCompany, companies, wrong_record
from benchmarks.drill.report import as_markdown, write_json
from benchmarks.drill.rounds import DrillPlan, DrillReport, Round, drill
from benchmarks.drill.samples import Sample, SampleKind, SampleResult, SampleTally, recovered_at, tallies
from benchmarks.machine import Machine
from standin import expected_outcome, expected_record
from standin.site_facts import make_idno
from tests.long_version import LONG
from warehouse.contract import Outcome

MACHINE = Machine(2, 4.0, "3.11", "Chromium 1", "2026-01-01T00:00:00+00:00")
FETCHED = Sample(SampleKind.FETCHED, 20.0, 2.0, SampleResult.OK)


KILLED = ["api", "workers", "valkey"] if LONG else ["workers"]


@pytest.mark.usefixtures("starts_platform")
def test_killed_parts_recover_under_load_and_nothing_is_lost() -> None:
    report = drill(replace(DrillPlan.of(KILLED, quick=True, seed=7), baseline=LONG))

    assert report.passed, as_markdown(report)
    names = {each.name for each in report.rounds}
    assert names == {*(f"{part} killed" for part in KILLED), *(["no fault"] if LONG else [])}
    for each in report.rounds:
        assert each.companies > 0
        assert {tally.kind for tally in each.kinds} == set(SampleKind)
        assert each.total.counts[SampleResult.OK] > 0


def test_recovery_needs_a_success_of_each_kind_after_its_last_failure() -> None:
    bad = Sample(SampleKind.STATUS, 10.0, 1.0, SampleResult.CUT)
    waited = Sample(SampleKind.SIGN_IN, 5.0, 12.0, SampleResult.OK)
    assert recovered_at([], since=9.0) is None, "no company was fetched"
    assert recovered_at([FETCHED], since=9.0) == 9.0
    assert recovered_at([FETCHED, replace(bad, begun=1.0)], since=9.0) is None
    well = [
        FETCHED,
        bad,
        Sample(SampleKind.STATUS, 10.5, 0.1, SampleResult.OK),
        Sample(SampleKind.STATUS, 13.0, 1.0, SampleResult.OK),
    ]
    assert recovered_at(well, since=9.0) == 14.0
    assert recovered_at([*well, waited], since=9.0) is None, "a slow response is not a normal one"
    assert recovered_at([*well, waited, replace(waited, begun=18.0, seconds=0.5)], since=9.0) == 18.5
    assert recovered_at([replace(FETCHED, begun=8.0)], since=9.0) is None, (
        "the company was requested before the fault ended"
    )


def test_a_seed_selects_the_same_companies_with_known_outcomes() -> None:
    chosen = list(islice(companies(3), 400))
    assert chosen == list(islice(companies(3), 400))
    assert chosen != list(islice(companies(4), 400))
    assert len(set(chosen)) == 400
    outcomes = [expected_outcome(idno) for idno in chosen]
    assert set(outcomes) == {Outcome.OK, Outcome.NOT_FOUND}
    assert outcomes.count(Outcome.NOT_FOUND) == 400 // 8


def test_a_company_with_a_wrong_or_missing_final_state_is_lost() -> None:
    idno = make_idno(50_000)
    assert expected_outcome(idno) is Outcome.OK
    assert list(lost_companies([LedgerCompany(idno, True, "succeeded")])) == []
    found = lost_companies(
        [LedgerCompany(idno, True), LedgerCompany(idno, False), LedgerCompany(idno, True, "failed")]
    )
    assert list(found) == [
        f"{idno} did not end (accepted)",
        f"{idno} did not end (never accepted)",
        f"{idno} ended as failed, not as succeeded",
    ]


def test_a_wrong_record_is_detected() -> None:
    company = LedgerCompany(make_idno(50_000), True, "succeeded")
    truth = expected_record(company.idno)
    assert wrong_record(company, truth) is None
    assert "wrong record" in str(wrong_record(company, {**truth, "name": "ALTUL SRL"}))
    assert "without its record" in str(wrong_record(company, None))


def test_errors_and_missing_responses_are_reported() -> None:
    samples = [
        Sample(SampleKind.STATUS, 0.0, 0.1, SampleResult.WRONG, "500 the server failed"),
        Sample(SampleKind.STATUS, 0.2, 0.1, SampleResult.WRONG, "500 the server failed"),
        Sample(SampleKind.CACHED, 0.0, 60.0, SampleResult.SILENT, "ReadTimeout"),
        Sample(SampleKind.CACHED, 0.0, 0.1, SampleResult.UNAVAILABLE),
    ]
    assert list(wrong_answers(samples)) == [
        "status: 500 the server failed (2 times)",
        "cached record: no response within a minute (1 times)",
    ]


def test_the_report_lists_client_results_and_fails_after_a_loss(tmp_path: Path) -> None:
    samples = [
        Sample(SampleKind.STATUS, 0.0, 0.2, SampleResult.OK),
        Sample(SampleKind.STATUS, 1.0, 11.0, SampleResult.UNAVAILABLE),
    ]
    one = Round("api killed", SampleTally.of("all", samples), tallies(samples), 1.5, 4, 0, [])
    report = DrillReport(MACHINE, 1, 60, [one])
    assert report.passed
    assert "| api killed | status          | 2        | 1  | 1   | 0   | 0     | 0      | 1 " in as_markdown(
        report
    )
    assert "Every part recovered, and nothing was lost." in as_markdown(report)

    lost = replace(report, rounds=[replace(one, problems=["1 did not end"])])
    assert not lost.passed
    assert "- api killed: 1 did not end" in as_markdown(lost)
    assert not replace(report, rounds=[replace(one, recovered_seconds=None)]).passed
    assert not replace(report, problems=["a session was lost"]).passed
    write_json(lost, tmp_path / "drill.json")
    assert json.loads((tmp_path / "drill.json").read_text())["passed"] is False


def test_parts_are_selected_by_name() -> None:
    assert DrillPlan.of([], quick=False, seed=1).faults == ALL
    assert DrillPlan.of([], quick=True, seed=1).faults == QUICK
    assert [fault.name for fault in QUICK] == ["api killed", "workers killed", "valkey killed"]
    chosen = DrillPlan.of(parts_of("valkey, workers"), quick=False, seed=1).faults
    assert [fault.name for fault in chosen] == [
        *("workers killed", "workers paused 15 s"),
        *("valkey killed", "valkey paused 25 s", "valkey restarted"),
    ]
    kills = DrillPlan.of(["valkey"], quick=True, seed=1).faults
    assert [fault.kind for fault in kills] == [FaultKind.KILL]
    with pytest.raises(argparse.ArgumentTypeError, match="unknown part 'redis'; choose from gateway, api"):
        parts_of("redis")
