"""A small run of the backup benchmark: it measures Registru and the bare programs, and reports."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.backup.report import as_text, write_json
from benchmarks.backup.rounds import BACKUP, DUMP, PG_RESTORE, RESTORE, VERIFY, BackupPlan, measure
from pipeline.extract.page_capture import Capture
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import CaptureSpec


def made_up_visits(companies: int) -> list[tuple[Capture, Capture]]:
    """Return two captures of each company without a browser; the storage benchmark's test visits companies."""
    captures = [
        CaptureSpec(make_idno(number)).capture(datetime(2026, 9, 1, tzinfo=UTC))
        for number in range(companies)
    ]
    return [(capture, capture) for capture in captures]


@pytest.mark.usefixtures("starts_stores")
def test_backup_and_restore_are_compared_with_the_bare_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.backup.rounds.visit_twice", made_up_visits)
    report = measure(BackupPlan(visited=1, companies=5, rounds=1))
    assert report.database_megabytes > 0 and report.backup_megabytes > 0
    assert set(report.seconds) == {BACKUP, VERIFY, RESTORE, DUMP, PG_RESTORE}
    write_json(report, tmp_path / "backup.json")
    written = json.loads((tmp_path / "backup.json").read_text())
    assert set(written["times_the_bare_program"]) == {BACKUP, RESTORE}
    assert "times pg_dump of the warehouse alone" in as_text(report)
