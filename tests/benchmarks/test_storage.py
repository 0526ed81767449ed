"""The benchmark of storage, in the small: it measures ours and the alternatives, and reports."""

import json
from pathlib import Path

from benchmarks.storage.report import told, write_json
from benchmarks.storage.rounds import FILES, FIRST, FULL, ONE_ROW, OURS, UNCHANGED, StoragePlan, measure


def test_captures_are_measured_beside_a_row_a_capture_and_files(tmp_path: Path) -> None:
    report = measure(StoragePlan(visited=2, companies=40, again=2))
    assert set(report.bytes) == {OURS, ONE_ROW, FILES}
    assert report.bytes[OURS][UNCHANGED][FULL] < report.bytes[OURS][FIRST][FULL] < report.raw
    write_json(report, tmp_path / "storage.json")
    written = json.loads((tmp_path / "storage.json").read_text())
    assert written["unchanged_bytes"] == round(report.bytes[OURS][UNCHANGED][FULL])
    assert f"unchanged under 1024: {written['unchanged_bytes']}" in told(report)
