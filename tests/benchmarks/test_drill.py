"""The fault drill: in the small it passes, and what would be a loss is seen as one."""

import argparse
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.drill.__main__ import parts_of
from benchmarks.drill.drill_checks import lost_companies, wrong_answers
from benchmarks.drill.drill_faults import ALL, QUICK, Trouble
from benchmarks.drill.ledger import LedgerCompany, companies, wrong_record
from benchmarks.drill.report import told, write_json
from benchmarks.drill.rounds import DrillPlan, DrillReport, Round, drill
from benchmarks.drill.samples import Sample, SampleKind, SampleTally, SeenSamples, recovered_at, tallies
from benchmarks.machine import Machine
from standin import expected_outcome, expected_record
from standin.site_facts import make_idno
from warehouse.contract import Outcome

MACHINE = Machine(2, 4.0, "3.11", "Chromium 1", "2026-01-01T00:00:00+00:00")
FETCHED = Sample(SampleKind.FETCHED, 20.0, 2.0, SeenSamples.OK)


def test_parts_that_are_killed_under_load_come_back_and_nothing_is_lost() -> None:
    report = drill(DrillPlan.of([], quick=True, seed=7))

    assert report.passed, told(report)
    assert [each.name for each in report.rounds[1:]] == ["api killed", "workers killed", "valkey killed"]
    for each in report.rounds:
        assert each.companies > 0
        assert {tally.kind for tally in each.kinds} == set(SampleKind)
        assert each.total.counts[SeenSamples.OK] > 0


def test_all_is_well_again_when_each_kind_of_request_was_answered_after_its_last_failure() -> None:
    bad = Sample(SampleKind.STATUS, 10.0, 1.0, SeenSamples.CUT)
    waited = Sample(SampleKind.SIGN_IN, 5.0, 12.0, SeenSamples.OK)
    assert recovered_at([], since=9.0) is None, "no company was fetched"
    assert recovered_at([FETCHED], since=9.0) == 9.0
    assert recovered_at([FETCHED, replace(bad, begun=1.0)], since=9.0) is None
    well = [
        FETCHED,
        bad,
        Sample(SampleKind.STATUS, 10.5, 0.1, SeenSamples.OK),
        Sample(SampleKind.STATUS, 13.0, 1.0, SeenSamples.OK),
    ]
    assert recovered_at(well, since=9.0) == 14.0
    assert recovered_at([*well, waited], since=9.0) is None, "a long wait is not usual"
    assert recovered_at([*well, waited, replace(waited, begun=18.0, seconds=0.5)], since=9.0) == 18.5
    assert recovered_at([replace(FETCHED, begun=8.0)], since=9.0) is None, "it was asked for before the end"


def test_companies_are_the_same_for_a_seed_and_each_ends_in_a_way_that_is_known() -> None:
    chosen = list(islice(companies(3), 400))
    assert chosen == list(islice(companies(3), 400))
    assert chosen != list(islice(companies(4), 400))
    assert len(set(chosen)) == 400
    outcomes = [expected_outcome(idno) for idno in chosen]
    assert set(outcomes) == {Outcome.OK, Outcome.NOT_FOUND}
    assert outcomes.count(Outcome.NOT_FOUND) == 400 // 8


def test_a_company_that_ended_otherwise_or_not_at_all_is_lost() -> None:
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


def test_a_record_that_is_not_true_is_seen() -> None:
    company = LedgerCompany(make_idno(50_000), True, "succeeded")
    truth = expected_record(company.idno)
    assert wrong_record(company, truth) is None
    assert "wrong record" in str(wrong_record(company, {**truth, "name": "ALTUL SRL"}))
    assert "without its record" in str(wrong_record(company, None))


def test_an_error_and_an_answer_that_never_comes_are_no_answers() -> None:
    samples = [
        Sample(SampleKind.STATUS, 0.0, 0.1, SeenSamples.WRONG, "500 the server failed"),
        Sample(SampleKind.STATUS, 0.2, 0.1, SeenSamples.WRONG, "500 the server failed"),
        Sample(SampleKind.CACHED, 0.0, 60.0, SeenSamples.SILENT, "ReadTimeout"),
        Sample(SampleKind.CACHED, 0.0, 0.1, SeenSamples.UNAVAILABLE),
    ]
    assert list(wrong_answers(samples)) == [
        "status: 500 the server failed (2 times)",
        "cached record: no answer in a minute (1 times)",
    ]


def test_the_report_shows_what_clients_saw_and_fails_for_a_loss(tmp_path: Path) -> None:
    samples = [
        Sample(SampleKind.STATUS, 0.0, 0.2, SeenSamples.OK),
        Sample(SampleKind.STATUS, 1.0, 11.0, SeenSamples.UNAVAILABLE),
    ]
    one = Round("api killed", SampleTally.of("all", samples), tallies(samples), 1.5, 4, 0, [])
    report = DrillReport(MACHINE, 1, 60, [one])
    assert report.passed
    assert "| api killed | status          | 2        | 1  | 1   | 0   | 0     | 0      | 1 " in told(report)
    assert "Everything recovered, and nothing was lost." in told(report)

    lost = replace(report, rounds=[replace(one, problems=["1 did not end"])])
    assert not lost.passed
    assert "- api killed: 1 did not end" in told(lost)
    assert not replace(report, rounds=[replace(one, recovered_seconds=None)]).passed
    assert not replace(report, problems=["a session was lost"]).passed
    write_json(lost, tmp_path / "drill.json")
    assert json.loads((tmp_path / "drill.json").read_text())["passed"] is False


def test_parts_are_chosen_by_name() -> None:
    assert DrillPlan.of([], quick=False, seed=1).faults == ALL
    assert DrillPlan.of([], quick=True, seed=1).faults == QUICK
    chosen = DrillPlan.of(parts_of("valkey, workers"), quick=False, seed=1).faults
    assert [fault.name for fault in chosen] == [
        *("workers killed", "workers paused 15 s"),
        *("valkey killed", "valkey paused 25 s", "valkey restarted"),
    ]
    kills = DrillPlan.of(["valkey"], quick=True, seed=1).faults
    assert [fault.trouble for fault in kills] == [Trouble.KILL]
    with pytest.raises(argparse.ArgumentTypeError, match="'redis' is no part; there are gateway, api"):
        parts_of("redis")
