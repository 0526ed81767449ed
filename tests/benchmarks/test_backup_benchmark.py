"""A small run of the backup benchmark: it measures Registru and the bare programs, and reports."""

import json
from pathlib import Path

from benchmarks.backup.report import as_text, write_json
from benchmarks.backup.rounds import BACKUP, DUMP, PG_RESTORE, RESTORE, VERIFY, BackupPlan, measure


def test_backup_and_restore_are_compared_with_the_bare_programs(tmp_path: Path) -> None:
    report = measure(BackupPlan(visited=1, companies=5, rounds=1))
    assert set(report.seconds) == {BACKUP, VERIFY, RESTORE, DUMP, PG_RESTORE}
    write_json(report, tmp_path / "backup.json")
    written = json.loads((tmp_path / "backup.json").read_text())
    assert set(written["times_the_bare_program"]) == {BACKUP, RESTORE}
    assert "times pg_dump of the warehouse alone" in as_text(report)
