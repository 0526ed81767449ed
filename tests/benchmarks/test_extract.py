"""The benchmark of extraction, in the small: it measures, it refuses wrong pages, it reports."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.extract.report import table, write_json
from benchmarks.extract.rounds import ExtractPlan, ExtractReport, ExtractRow, measured_in_turns
from benchmarks.extract.ways import BARE, CRAWL, WITHOUT_BODIES, Fetched, Surroundings, WrongPage, our_ways
from benchmarks.machine import Machine

PLAN = ExtractPlan(rounds=1, companies=2, tabs=(4,), latencies_ms=(0,))


def test_each_of_our_ways_is_measured() -> None:
    report = measured_in_turns(PLAN, our_ways(PLAN.tabs))
    assert [(row.name, row.tabs, row.bodies) for row in report.rows] == [
        (BARE, 1, 0),
        (CRAWL, 4, 2),
        (WITHOUT_BODIES, 4, 0),
    ]
    for row in report.rows:
        assert len(row.per_second) == 1
        assert row.per_second[0] > 0
        assert row.cpu_seconds[0] > 0


def test_playwright_is_measured_beside_them() -> None:
    pytest.importorskip("playwright")
    from benchmarks.extract.playwright_way import playwright_way

    [row] = measured_in_turns(PLAN, [playwright_way(2)]).rows
    assert row.per_second[0] > 0


def test_a_fast_wrong_page_is_no_result() -> None:
    def fetch_nothing(idnos: Sequence[str], _: Surroundings) -> list[Fetched]:
        return [Fetched(idno, "<h1>Se încarcă</h1>", 0) for idno in idnos]

    [bare, *_] = our_ways(())
    with pytest.raises(WrongPage, match="'Se încarcă' with 0 bodies"):
        measured_in_turns(PLAN, [replace(bare, fetch=fetch_nothing)])


def test_what_was_measured_is_compared_with_the_bare_loop(tmp_path: Path) -> None:
    rows = (
        ExtractRow(0, BARE, 1, 0, [8.0, 10.0, 11.0], [0.1, 0.1, 0.1], [0.0, 0.0, 0.5]),
        ExtractRow(0, CRAWL, 4, 2, [5.0, 4.0, 6.0], [0.3, 0.2, 0.2], [0.0, 0.0, 0.5]),
        ExtractRow(0, WITHOUT_BODIES, 4, 0, [5.5, 5.5, 5.5], [0.1, 0.1, 0.1], [0.0, 0.0, 0.5]),
    )
    report = ExtractReport(Machine(2, 4.0, "3.11", "Chromium 1", "2026-01-01T00:00:00+00:00"), PLAN, rows)

    write_json(report, tmp_path / "extract.json")
    written = json.loads((tmp_path / "extract.json").read_text())
    crawled = written["rows"][1]
    assert (crawled["median_per_second"], crawled["speed_to_bare"], crawled["cpu_to_bare"]) == (5.0, 0.5, 2.0)
    assert written["cost_of_bodies"] == {"0 ms": {"time": 1.1, "cpu": 2.0}}
    assert "4.00..6.00" in table(report)
    assert "taking the bodies: 1.1 times the time, 2.0 times the CPU" in table(report)
