"""Small runs of the extraction benchmark: it measures, refuses wrong pages and reports."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.extract.report import as_text, write_json
from benchmarks.extract.rounds import ExtractPlan, ExtractReport, ExtractRow, measure
from benchmarks.extract.ways import BARE, CRAWL, WITHOUT_BODIES, ExtractSetup, Fetched, WrongPage, our_ways
from benchmarks.machine import Machine

PLAN = ExtractPlan(rounds=1, companies=2, tabs=(4,), latencies_ms=(0,))


@pytest.mark.usefixtures("starts_browser")
def test_each_selenium_way_is_measured() -> None:
    report = measure(PLAN, our_ways(PLAN.tabs))
    assert [(row.name, row.tabs, row.bodies) for row in report.rows] == [
        (BARE, 1, 0),
        (CRAWL, 4, 2),
        (WITHOUT_BODIES, 4, 0),
    ]
    for row in report.rows:
        assert len(row.per_second) == 1
        assert row.per_second[0] > 0
        assert row.cpu_seconds[0] > 0


@pytest.mark.usefixtures("starts_browser")
def test_playwright_is_measured() -> None:
    pytest.importorskip("playwright")
    from benchmarks.extract.playwright_way import playwright_way

    [row] = measure(PLAN, [playwright_way(2)]).rows
    assert row.per_second[0] > 0


@pytest.mark.usefixtures("starts_browser")
def test_a_wrong_page_aborts_the_benchmark() -> None:
    def fetch_nothing(idnos: Sequence[str], _: ExtractSetup) -> list[Fetched]:
        return [Fetched(idno, "<h1>Se încarcă</h1>", 0) for idno in idnos]

    [bare, *_] = our_ways(())
    with pytest.raises(WrongPage, match="'Se încarcă' with 0 bodies"):
        measure(PLAN, [replace(bare, fetch=fetch_nothing)])


def test_results_are_compared_with_the_bare_loop(tmp_path: Path) -> None:
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
    assert "4.00..6.00" in as_text(report)
    assert "taking the bodies: 1.1 times the time, 2.0 times the CPU" in as_text(report)
