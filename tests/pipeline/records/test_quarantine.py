"""Tests of the quarantine: a capture that cannot be transformed is kept with the reason and retried."""

from typing import Any

import pytest

from pipeline.records.quarantine import Tolerance, TooManyRefused
from pipeline.transform.merge import transform
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import RecordsHarness

GOOD, BAD = make_idno(13), make_idno(14)
OTHERS_PAGE = f"<h1>ALTA FIRMA</h1><p>IDNO: {GOOD}</p>"


def quarantined(harness: RecordsHarness) -> list[dict[str, Any]]:
    return harness.rows("SELECT idno, reason, detail, transform_version, tries FROM quarantine ORDER BY idno")


def test_only_the_bad_page_goes_into_quarantine(harness: RecordsHarness) -> None:
    harness.put(GOOD)
    bad = harness.put(BAD, with_company=False, html=OTHERS_PAGE)
    results = {done.idno: done.result for done in harness.retransform()}

    assert results == {GOOD: "transformed", BAD: "not transformed"}
    [row] = harness.rows("SELECT * FROM quarantine")
    [capture] = harness.rows("SELECT raw_html_sha256 FROM source_data WHERE id = :id", id=bad)
    assert (row["source_data_id"], row["raw_html_sha256"]) == (bad, capture["raw_html_sha256"])
    assert (row["reason"], row["detail"]) == ("not_this_company", f"the page shows the company {GOOD}")
    assert harness.facts(BAD) is None
    assert harness.rows("SELECT * FROM pending_captures") == []


def test_parser_error_is_logged_and_stops_no_other_company(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(**arguments: Any) -> Any:
        if arguments["idno"] == BAD:
            raise KeyError("fullName")
        return transform(**arguments)

    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    harness.put_many([GOOD, BAD])
    harness.retransform()
    assert harness.facts(GOOD) is not None
    [row] = quarantined(harness)
    assert (row["idno"], row["reason"], row["detail"]) == (BAD, "not_readable", "KeyError: 'fullName'")
    [logged] = [entry for entry in caplog.records if entry.exc_info]
    assert logged.exc_info and logged.exc_info[0] is KeyError


def test_record_that_the_tables_refuse_does_not_fail_its_batch(harness: RecordsHarness) -> None:
    harness.put(GOOD)
    harness.put(BAD, changes={"fullName": "X" * 3000})  # longer than an index of names takes
    with harness.owner() as owner:
        owner.exec_driver_sql("CREATE UNIQUE INDEX refuses ON transformed_data (name)")
        owner.exec_driver_sql("ALTER TABLE transformed_data ADD CONSTRAINT short CHECK (length(name) < 2000)")
    try:
        harness.retransform()
    finally:
        with harness.owner() as owner:
            owner.exec_driver_sql("ALTER TABLE transformed_data DROP CONSTRAINT short")
            owner.exec_driver_sql("DROP INDEX refuses")
    assert harness.facts(GOOD) is not None
    [row] = quarantined(harness)
    assert (row["idno"], row["reason"]) == (BAD, "not_storable")
    assert "short" in row["detail"]


def test_damaged_body_is_never_read(harness: RecordsHarness) -> None:
    harness.put(BAD)
    with harness.owner() as owner:
        owner.exec_driver_sql("ALTER TABLE raw_documents DROP CONSTRAINT raw_documents_hash_is_right")
        owner.exec_driver_sql(
            "UPDATE raw_documents SET content = content || ' '::bytea WHERE content_type LIKE 'text/html%%'"
        )
    try:
        harness.retransform()
    finally:
        with harness.owner() as owner:
            owner.exec_driver_sql("TRUNCATE raw_documents CASCADE")
            owner.exec_driver_sql(
                "ALTER TABLE raw_documents ADD CONSTRAINT raw_documents_hash_is_right"
                " CHECK (sha256 = encode(sha256(content), 'hex'))"
            )
    assert harness.facts(BAD) is None


def test_quarantine_keeps_the_present_record(harness: RecordsHarness) -> None:
    harness.put(BAD)
    harness.retransform()
    before = harness.facts(BAD)
    harness.put(BAD, with_company=False, html=OTHERS_PAGE)
    harness.retransform()
    assert harness.facts(BAD) == before
    assert harness.changes(BAD) == []


def test_only_a_newer_version_retries_a_refused_capture(harness: RecordsHarness) -> None:
    harness.put(BAD, with_company=False, html=OTHERS_PAGE)
    harness.version(7)
    harness.retransform()
    assert harness.retransform() == []
    harness.version(8)
    harness.retransform()
    [row] = quarantined(harness)
    assert (row["transform_version"], row["tries"]) == (8, 2)


def test_capture_leaves_quarantine_once_a_version_reads_it(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(**_: Any) -> Any:
        raise ValueError("not ready for this")

    harness.put(BAD)
    harness.version(7)
    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    harness.retransform()
    assert len(quarantined(harness)) == 1
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    harness.version(8)
    harness.retransform()
    assert quarantined(harness) == []
    assert harness.facts(BAD) is not None


def test_too_many_refusals_stop_the_run_and_change_no_table(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    idnos = [make_idno(number) for number in range(200, 220)]
    harness.version(1)
    harness.put_many(idnos)
    harness.retransform()
    before = harness.tables()

    def breaks(**arguments: Any) -> Any:
        if arguments["idno"] in idnos[:12]:
            raise ValueError("a parser that was broken")
        return transform(**arguments)

    harness.version(2)
    monkeypatch.setattr("pipeline.records.record_updates.transform", breaks)
    harness.tolerance = Tolerance(per_cent=50, at_least=11)
    with pytest.raises(TooManyRefused, match=r"12 of 20 captures .* a parser that was broken"):
        harness.retransform()
    assert harness.tables() == before

    harness.tolerance = Tolerance(per_cent=60, at_least=0)
    harness.retransform()
    assert len(quarantined(harness)) == 12


def test_known_refusals_do_not_count_again(harness: RecordsHarness) -> None:
    idnos = [make_idno(number) for number in range(200, 220)]
    harness.tolerance = Tolerance(per_cent=100, at_least=20)
    harness.version(1)
    for idno in idnos:
        harness.put(idno, with_company=False, html=OTHERS_PAGE)
    harness.retransform()
    harness.version(2)
    harness.tolerance = Tolerance(per_cent=0, at_least=0)
    harness.retransform()
    assert {row["tries"] for row in quarantined(harness)} == {2}
