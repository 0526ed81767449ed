"""A small run of the scale benchmark: it times the platform's own functions at each size, and reports."""

import json
from pathlib import Path

import pytest

from benchmarks.scale.report import as_text, write_json
from benchmarks.scale.rounds import ScalePlan, measure


@pytest.mark.usefixtures("starts_stores")
def test_every_operation_is_timed_at_each_size(tmp_path: Path) -> None:
    report = measure(ScalePlan(sizes=(120, 160), originals=8, part=0))
    assert all(set(sizes) == {120, 160} for sizes in report.milliseconds.values())
    assert set(report.of_so_many_per_second) == {2, 4, 8}
    write_json(report, tmp_path / "scale.json")
    written = json.loads((tmp_path / "scale.json").read_text())
    assert written["milliseconds"]["a record"]["120"]["ratio"] == 1.0
    assert "queue: what is next" in as_text(report)
