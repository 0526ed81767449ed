"""Tests of captures in the spools of dead runs: the next run on the machine stores each once."""

from pathlib import Path

from sqlalchemy import text

from pipeline.extract import spool
from pipeline.extract.page_capture import Capture
from pipeline.extract.visit import unvisited_capture
from pipeline.runs.company_runner import store_spools_of_dead_runs
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.schema import database_roles


def failed_capture(number: int) -> Capture:
    return unvisited_capture(
        "http://x.test", make_idno(number), reason="it died", outcome=Outcome.BROWSER_ERROR
    )


def test_only_spooled_captures_of_dead_runs_are_stored_once(databases: Databases, tmp_path: Path) -> None:
    engine = databases.engine(database_roles.PIPELINE)
    dead, alive = failed_capture(47_001), failed_capture(47_002)
    spool.put(tmp_path / "dead", dead)
    spool.put(tmp_path / "alive", alive)

    for expected in (1, 0):
        stored = store_spools_of_dead_runs(engine.begin, tmp_path, has_ended=lambda run_id: run_id == "dead")
        assert stored == expected
    # The run died after it had stored the capture and before it had removed the file.
    spool.put(tmp_path / "dead", dead)
    assert store_spools_of_dead_runs(engine.begin, tmp_path, has_ended=lambda run_id: run_id == "dead") == 1

    with engine.begin() as connection:
        rows = connection.execute(
            text("SELECT run_id, outcome, capture_id FROM source_data WHERE run_id IN ('dead', 'alive')")
        ).all()
    assert [(row.run_id, row.outcome, row.capture_id) for row in rows] == [
        ("dead", "browser_error", dead.capture_id)
    ]
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["alive"]


def test_partial_file_in_the_spool_is_ignored(databases: Databases, tmp_path: Path) -> None:
    folder = tmp_path / "dead"
    path = spool.put(folder, failed_capture(47_003))
    path.rename(path.with_suffix(".part"))
    assert (
        store_spools_of_dead_runs(
            databases.engine(database_roles.PIPELINE).begin, tmp_path, has_ended=lambda _: True
        )
        == 0
    )
