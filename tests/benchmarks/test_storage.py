"""A small run of the storage benchmark: it measures Registru and the alternatives, and reports."""

import json
from pathlib import Path

import pytest

from benchmarks.storage.report import as_text, write_json
from benchmarks.storage.rounds import FILES, FIRST, FULL, ONE_ROW, OURS, UNCHANGED, StoragePlan, measure


@pytest.mark.usefixtures("starts_browser")
def test_storage_is_compared_with_one_row_per_capture_and_files(tmp_path: Path) -> None:
    report = measure(StoragePlan(visited=2, companies=24, again=2))
    assert set(report.bytes) == {OURS, ONE_ROW, FILES}
    assert report.bytes[OURS][UNCHANGED][FULL] < report.bytes[OURS][FIRST][FULL] < report.raw
    write_json(report, tmp_path / "storage.json")
    written = json.loads((tmp_path / "storage.json").read_text())
    assert written["unchanged_bytes"] == round(report.bytes[OURS][UNCHANGED][FULL])
    assert f"unchanged under 1024: {written['unchanged_bytes']}" in as_text(report)
