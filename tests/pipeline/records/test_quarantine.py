"""What cannot be transformed is set aside with the reason; it stops nobody else, and is tried again."""

from typing import Any

import pytest

from pipeline.records.quarantine import Tolerance, TooManyRefused
from pipeline.transform.merge import transform
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import RecordsHarness

GOOD, BAD = make_idno(13), make_idno(14)
OTHERS_PAGE = f"<h1>ALTA FIRMA</h1><p>IDNO: {GOOD}</p>"


def quarantined(stage: RecordsHarness) -> list[dict[str, Any]]:
    return stage.rows("SELECT idno, reason, detail, transform_version, tries FROM quarantine ORDER BY idno")


def test_a_bad_page_is_set_aside_and_the_others_are_not(stage: RecordsHarness) -> None:
    stage.put(GOOD)
    bad = stage.put(BAD, with_company=False, html=OTHERS_PAGE)
    results = {each.idno: each.result for each in stage.retransform()}

    assert results == {GOOD: "transformed", BAD: "not transformed"}
    [row] = stage.rows("SELECT * FROM quarantine")
    [capture] = stage.rows("SELECT raw_html_sha256 FROM source_data WHERE id = :id", id=bad)
    assert (row["source_data_id"], row["raw_html_sha256"]) == (bad, capture["raw_html_sha256"])
    assert (row["reason"], row["detail"]) == ("not_this_company", f"the page shows the company {GOOD}")
    assert stage.facts(BAD) is None
    assert stage.rows("SELECT * FROM pending_captures") == []


def test_a_parsers_mistake_is_named_and_stops_nobody(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(**arguments: Any) -> Any:
        if arguments["idno"] == BAD:
            raise KeyError("fullName")
        return transform(**arguments)

    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    stage.put_many([GOOD, BAD])
    stage.retransform()
    assert stage.facts(GOOD) is not None
    [row] = quarantined(stage)
    assert (row["idno"], row["reason"], row["detail"]) == (BAD, "not_readable", "KeyError: 'fullName'")


def test_a_record_that_the_tables_refuse_does_not_sink_its_batch(stage: RecordsHarness) -> None:
    stage.put(GOOD)
    stage.put(BAD, changes={"fullName": "X" * 3000})  # longer than an index of names takes
    with stage.owner() as owner:
        owner.exec_driver_sql("CREATE UNIQUE INDEX refuses ON transformed_data (name)")
        owner.exec_driver_sql("ALTER TABLE transformed_data ADD CONSTRAINT short CHECK (length(name) < 2000)")
    try:
        stage.retransform()
    finally:
        with stage.owner() as owner:
            owner.exec_driver_sql("ALTER TABLE transformed_data DROP CONSTRAINT short")
            owner.exec_driver_sql("DROP INDEX refuses")
    assert stage.facts(GOOD) is not None
    [row] = quarantined(stage)
    assert (row["idno"], row["reason"]) == (BAD, "not_storable")
    assert "short" in row["detail"]


def test_damaged_evidence_is_never_read(stage: RecordsHarness) -> None:
    stage.put(BAD)
    with stage.owner() as owner:
        owner.exec_driver_sql("ALTER TABLE raw_documents DROP CONSTRAINT raw_documents_hash_is_right")
        owner.exec_driver_sql(
            "UPDATE raw_documents SET content = content || ' '::bytea WHERE content_type LIKE 'text/html%%'"
        )
    try:
        stage.retransform()
    finally:
        with stage.owner() as owner:
            owner.exec_driver_sql("TRUNCATE raw_documents CASCADE")
            owner.exec_driver_sql(
                "ALTER TABLE raw_documents ADD CONSTRAINT raw_documents_hash_is_right"
                " CHECK (sha256 = encode(sha256(content), 'hex'))"
            )
    assert stage.facts(BAD) is None


def test_what_is_set_aside_keeps_the_record_that_was_there(stage: RecordsHarness) -> None:
    stage.put(BAD)
    stage.retransform()
    before = stage.facts(BAD)
    stage.put(BAD, with_company=False, html=OTHERS_PAGE)
    stage.retransform()
    assert stage.facts(BAD) == before
    assert stage.changes(BAD) == []


def test_a_refused_capture_is_tried_again_by_the_next_version_and_by_no_other(stage: RecordsHarness) -> None:
    stage.put(BAD, with_company=False, html=OTHERS_PAGE)
    stage.version(7)
    stage.retransform()
    assert stage.retransform() == []
    stage.version(8)
    stage.retransform()
    [row] = quarantined(stage)
    assert (row["transform_version"], row["tries"]) == (8, 2)


def test_a_capture_that_a_version_can_read_leaves_quarantine(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(**_: Any) -> Any:
        raise ValueError("not ready for this")

    stage.put(BAD)
    stage.version(7)
    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    stage.retransform()
    assert len(quarantined(stage)) == 1
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    stage.version(8)
    stage.retransform()
    assert quarantined(stage) == []
    assert stage.facts(BAD) is not None


def test_too_many_refused_stop_the_run_before_it_touches_a_table(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    idnos = [make_idno(number) for number in range(200, 220)]
    stage.version(1)
    stage.put_many(idnos)
    stage.retransform()
    before = stage.tables()

    def breaks(**arguments: Any) -> Any:
        if arguments["idno"] in idnos[:12]:
            raise ValueError("a parser that was broken")
        return transform(**arguments)

    stage.version(2)
    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    stage.tolerance = Tolerance(per_cent=50, at_least=11)
    with pytest.raises(TooManyRefused, match=r"12 of 20 captures .* a parser that was broken"):
        stage.retransform()
    assert stage.tables() == before

    stage.tolerance = Tolerance(per_cent=60, at_least=0)
    stage.retransform()
    assert len(quarantined(stage)) == 12


def test_what_was_refused_before_does_not_count_again(stage: RecordsHarness) -> None:
    idnos = [make_idno(number) for number in range(200, 220)]
    stage.tolerance = Tolerance(per_cent=100, at_least=20)
    stage.version(1)
    for idno in idnos:
        stage.put(idno, with_company=False, html=OTHERS_PAGE)
    stage.retransform()
    stage.version(2)
    stage.tolerance = Tolerance(per_cent=0, at_least=0)
    stage.retransform()
    assert {row["tries"] for row in quarantined(stage)} == {2}
