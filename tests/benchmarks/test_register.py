"""A small run of the register benchmark: it reads one file with two readers, and reports."""

import json
from pathlib import Path

import pytest

from benchmarks.register.report import as_text, write_json
from benchmarks.register.rounds import RegisterPlan, measure


@pytest.mark.usefixtures("starts_browser")  # the report names its version
def test_readers_of_the_register_are_compared(tmp_path: Path) -> None:
    # python-calamine is installed for benchmarks only.
    report = measure(RegisterPlan(companies=300, rounds=1, ways=("registru", "openpyxl")))
    assert set(report.seconds) == set(report.megabytes) == {"registru", "openpyxl"}
    write_json(report, tmp_path / "register.json")
    written = json.loads((tmp_path / "register.json").read_text())
    assert written["megabytes"]["registru"] == report.megabytes["registru"]
    assert "300 companies in a file of" in as_text(report)
