"""Tests of retention in the warehouse and in Dagster: only data that nothing needs is removed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pipeline.dagster_host.run_retention import count_old_runs, delete_old_runs
from pipeline.definitions import defs
from pipeline.records.capture_store import store_body
from pipeline.records.retention import PrunedBodies, prunable_bodies, prune_bodies
from standin.site_facts import make_idno
from tests.pipeline.dagster_in_process import InProcessDagster
from tests.warehouse.evidence.capture_factory import capture, payload, sha256, store, unanswered
from tests.warehouse_server import Databases
from warehouse.contract import TIDY_JOB, Outcome
from warehouse.evidence.read import load_evidence
from warehouse.schema import database_roles
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS, revisions

COMPANY, OTHER = make_idno(3800), make_idno(3801)
LONG_AGO = datetime.now(UTC) - timedelta(days=400)
CUTOFF = datetime.now(UTC) - timedelta(days=90)


@pytest.fixture(scope="module")
def warehouse(databases: Databases) -> Databases:
    return databases


@pytest.fixture(autouse=True)
def _empty(warehouse: Databases) -> None:
    tables = (
        "source_data, source_payloads, raw_documents, transformed_data, company_changes, quarantine, removals"
    )
    with warehouse.unrestricted() as connection:
        connection.execute(text(f"TRUNCATE {tables} CASCADE"))


def page(number: int) -> bytes:
    return f"<h1>page {number}</h1>".encode()


def look(number: int) -> bytes:
    return f'{{"version": 1, "elements": {number}}}'.encode()


def data(number: int) -> bytes:
    return f'{{"number": {number}}}'.encode()


def put_visit(
    connection: Connection, number: int, *, idno: str = COMPANY, fetched_at: datetime | None = None
) -> int:
    """Store a good capture with its own page and JSON. `number` is its day, counted from LONG_AGO."""
    evidence = capture(
        idno,
        fetched_at=fetched_at or LONG_AGO + timedelta(days=number),
        raw_html_sha256=sha256(page(number)),
        look_sha256=sha256(look(number)),
        document_sha256=None,
        screenshot_sha256=None,
        payloads=(payload(0, data(number)),),
    )
    return store(connection, evidence, bodies=(page(number), look(number), data(number)))


def put_record(connection: Connection, source_data_id: int, *, filled_from: int) -> None:
    connection.execute(
        text(
            "INSERT INTO transformed_data (idno, name, disagreements, sources, source_data_id, fetched_at,"
            " transform_version, transformed_at, first_transformed_at) SELECT idno, 'LENTILE', '{}',"
            " jsonb_build_object('address', jsonb_build_object('source_data_id', CAST(:filled AS bigint))), id,"
            " fetched_at, 1, now(), now() FROM source_data WHERE id = :id"
        ),
        {"id": source_data_id, "filled": filled_from},
    )


def stored_pages(connection: Connection) -> set[int]:
    """Return the numbers of the pages that are still stored. A page is stored if and only if its JSON is."""
    there = set(connection.scalars(text("SELECT sha256 FROM raw_documents WHERE content IS NOT NULL")))
    pages = {number for number in range(100) if sha256(page(number)) in there}
    assert pages == {number for number in range(100) if sha256(data(number)) in there}
    return pages


def prune(warehouse: Databases, cutoff: datetime = CUTOFF) -> PrunedBodies:
    return prune_bodies(warehouse.warehouse, cutoff, run_id="run")


def test_unneeded_bodies_are_removed_and_their_hashes_stay(warehouse: Databases) -> None:
    with warehouse.unrestricted() as connection:
        ids = [put_visit(connection, number) for number in range(12)]
        put_record(connection, ids[11], filled_from=ids[0])
        connection.execute(
            text(
                "INSERT INTO company_changes (idno, field, cause, observed_at, recorded_at, previous_source_data_id,"
                " previous_version, source_data_id, transform_version)"
                " VALUES (:idno, 'name', 'source', now(), now(), :old, 1, :new, 1)"
            ),
            {"idno": COMPANY, "old": ids[2], "new": ids[3]},
        )
        connection.execute(
            text(
                "INSERT INTO quarantine (source_data_id, idno, reason, detail, raw_html_sha256, transform_version,"
                " first_tried_at, last_tried_at) VALUES (:id, :idno, 'not_readable', '-', '-', 1, now(), now())"
            ),
            {"id": ids[5], "idno": COMPANY},
        )
        for number in (50, 51):
            put_visit(connection, number, idno=OTHER, fetched_at=datetime.now(UTC) - timedelta(days=60))
        rows = connection.execute(text("SELECT * FROM source_data ORDER BY id")).all()

    with warehouse.warehouse() as connection:
        prunable = prunable_bodies(connection, CUTOFF)
    pruned = prune(warehouse)

    # Kept: captures that the record, a change or the quarantine names, the newest five, and those not old enough.
    with warehouse.unrestricted() as connection:
        assert stored_pages(connection) == {0, 2, 3, 5, *range(7, 12), 50, 51}
        assert connection.execute(text("SELECT * FROM source_data ORDER BY id")).all() == rows
        [entry] = connection.execute(text("SELECT because, bodies, bytes, removed_by FROM removals")).all()
        removed = connection.execute(
            text(
                "SELECT DISTINCT removed_because, content_type <> '' FROM raw_documents WHERE content IS NULL"
            )
        ).all()
        evidence = list(load_evidence(connection, COMPANY))
    assert (
        pruned
        == prunable
        == PrunedBodies(9, sum(len(page(n)) + len(look(n)) + len(data(n)) for n in (1, 4, 6)))
    )
    assert tuple(entry) == ("retention", pruned.count, pruned.bytes, "run run")
    assert [tuple(row) for row in removed] == [("retention", True)]
    # All captures can still be exported as evidence, which says when and why bodies were removed.
    assert len(evidence) == 12
    assert set(evidence[1].removed) == {sha256(page(1)), sha256(look(1)), sha256(data(1))}
    assert prune(warehouse) == PrunedBodies(0, 0)


def test_body_shared_with_a_newer_capture_is_kept(warehouse: Databases) -> None:
    with warehouse.unrestricted() as connection:
        first = put_visit(connection, 1)
        for number in range(2, 10):
            put_visit(connection, number)
        # This capture has the same answers as the first one, so it refers to the first one and stores no payloads.
        same = capture(
            COMPANY,
            raw_html_sha256=sha256(page(1)),
            look_sha256=None,
            document_sha256=None,
            screenshot_sha256=None,
            payloads=(),
        )
        newest = store(connection, same, bodies=(page(1),))
        connection.execute(
            text("UPDATE source_data SET same_as = :first, changed_headers = '[{}, {}]' WHERE id = :id"),
            {"first": first, "id": newest},
        )
    prune(warehouse)
    with warehouse.unrestricted() as connection:
        assert stored_pages(connection) == {1, 6, 7, 8, 9}


def test_only_the_newest_failed_visit_keeps_its_bodies(warehouse: Databases) -> None:
    pictures = [b"picture %d" % number for number in range(3)]
    with warehouse.unrestricted() as connection:
        for number, picture in enumerate(pictures):
            failed = unanswered(
                COMPANY,
                fetched_at=LONG_AGO + timedelta(days=number),
                outcome=Outcome.TIMEOUT,
                screenshot_sha256=sha256(picture),
            )
            store(connection, failed, bodies=(picture,))
    assert prune(warehouse).count == 2
    with warehouse.unrestricted() as connection:
        left = connection.scalars(text("SELECT content FROM raw_documents WHERE content IS NOT NULL")).all()
    assert [bytes(content) for content in left] == [pictures[2]]


def test_pruned_body_is_stored_again_when_a_visit_returns_it(warehouse: Databases) -> None:
    with warehouse.unrestricted() as connection:
        for number in range(8):
            put_visit(connection, number)
    prune(warehouse)
    with warehouse.warehouse() as connection:
        assert store_body(connection, page(0), "text/html") == sha256(page(0))
        row = connection.execute(
            text("SELECT content, removed_at FROM raw_documents WHERE sha256 = :sha256"),
            {"sha256": sha256(page(0))},
        ).one()
    assert (bytes(row.content), row.removed_at) == (page(0), None)


def test_erased_body_is_not_stored_again_by_the_next_visit(warehouse: Databases) -> None:
    with warehouse.unrestricted() as connection:
        put_visit(connection, 0)
        connection.execute(
            text("UPDATE raw_documents SET content = NULL, removed_at = now(), removed_because = 'erasure'")
        )
    with warehouse.warehouse() as connection:
        store_body(connection, page(0), "text/html")
        assert connection.scalar(text("SELECT count(*) FROM raw_documents WHERE content IS NOT NULL")) == 0


@pytest.mark.parametrize(
    ("role", "statement", "expected"),
    [
        (
            database_roles.PIPELINE,
            "SELECT prune_bodies(now() - interval '29 days', 10, 'run')",
            "last 30 days are kept",
        ),
        (
            database_roles.API,
            "SELECT prune_bodies(now() - interval '99 days', 10, 'run')",
            "permission denied",
        ),
        (database_roles.API, "SELECT refill_body('x', 'x')", "permission denied"),
        (database_roles.PIPELINE, "UPDATE raw_documents SET content = NULL", "permission denied"),
        (database_roles.WAREHOUSE_OWNER, "UPDATE raw_documents SET content = NULL", "append-only"),
        (database_roles.WAREHOUSE_OWNER, "DELETE FROM removals", "append-only"),
    ],
)
def test_no_role_can_remove_more_bodies_than_allowed(
    warehouse: Databases, role: str, statement: str, expected: str
) -> None:
    with pytest.raises(DBAPIError, match=expected), warehouse.warehouse(role) as connection:
        connection.execute(text(statement))


def run_tidy(in_process: InProcessDagster, **config: bool) -> ExecuteInProcessResult:
    job = defs.resolve_job_def(TIDY_JOB)
    run_config = {"ops": {"tidy_up": {"config": config}}}
    return job.execute_in_process(run_config, instance=in_process.instance, raise_on_error=False)


def test_tidy_counts_in_a_dry_run_and_then_removes(
    in_process: InProcessDagster, warehouse: Databases
) -> None:
    in_process.set(warehouse_url=warehouse.url(database_roles.PIPELINE), keep_bodies_days="90")
    with warehouse.unrestricted() as connection:
        for number in range(8):
            put_visit(connection, number)
    for dry_run, left in ((True, set(range(8))), (False, set(range(3, 8)))):
        result = run_tidy(in_process, dry_run=dry_run)
        assert result.success
        [output] = [event for event in result.all_events if event.is_successful_output]
        assert output.step_output_data.metadata["bodies"].value == 9
        with warehouse.unrestricted() as connection:
            assert stored_pages(connection) == left


def test_run_fails_if_the_schema_has_another_version(
    in_process: InProcessDagster, warehouse: Databases
) -> None:
    in_process.set(warehouse_url=warehouse.url(database_roles.PIPELINE), keep_bodies_days="90")
    newest = revisions(WAREHOUSE_MIGRATIONS)[-1]
    for revision, expected in (("0003", "run `registru migrate` first"), ("9999", "newer than this version")):
        with warehouse.unrestricted() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
            )
        result = run_tidy(in_process)
        with warehouse.unrestricted() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :revision"), {"revision": newest}
            )
        assert not result.success
        [failure] = [event for event in result.all_events if event.is_step_failure]
        assert expected in str(failure.step_failure_data.error_display_string)


def test_ended_runs_are_deleted_with_their_events_and_logs(tmp_path: Path) -> None:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        old = [instance.create_run_for_job(defs.resolve_job_def("tidy")) for _ in range(2)]
        instance.report_run_failed(old[0], "over")
        logs = tmp_path / "storage" / old[0].run_id / "compute_logs"
        logs.mkdir(parents=True)
        (logs / "step.out").write_text("printed")
        assert delete_old_runs(instance, datetime.now(UTC) - timedelta(days=1)) == 0

        soon = datetime.now(UTC) + timedelta(minutes=1)
        assert count_old_runs(instance, soon) == 1
        assert delete_old_runs(instance, soon) == 1

        assert [run.run_id for run in instance.get_runs()] == [old[1].run_id]
        assert not instance.all_logs(old[0].run_id)
        assert not (logs / "step.out").exists()
