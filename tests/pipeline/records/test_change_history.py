"""What changed in a record, and why: at the source, by our reading, or not at all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.transform.merge import transform
from standin.filed_statements import fin_data
from standin.made_up_companies import company
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import FIRST, RecordsHarness
from warehouse.records.models import Change
from warehouse.records.record_diff import undo_changes

IDNO = make_idno(13)
FOUNDER = {"fullName": "NOU FONDATOR", "id": "f" * 64, "shares": 100}


def load_changes(stage: RecordsHarness) -> list[Change]:
    rows = stage.rows("SELECT * FROM company_changes WHERE idno = :idno ORDER BY id DESC", idno=IDNO)
    return [Change.model_validate(row) for row in rows]


def statements() -> list[dict[str, Any]]:
    return fin_data(IDNO) or [{"idno": IDNO, "year": 2024, "doctype": "rsf1", "CODE_5_430": 10}]


def test_the_first_record_is_no_news(stage: RecordsHarness) -> None:
    stage.put(IDNO)
    [done] = stage.transform(IDNO)
    assert (done.result, done.changes, stage.changes(IDNO)) == ("transformed", 0, [])


def test_a_change_at_the_source_names_both_captures_and_when_it_was_seen(stage: RecordsHarness) -> None:
    first = stage.put(IDNO)
    stage.transform(IDNO)
    second = stage.put(
        IDNO, changes={"fullName": "ALT NUME", "personFounders": [FOUNDER], "companyFounders": []}
    )
    [done] = stage.transform(IDNO)

    assert stage.changes(IDNO) == [("name", "source"), ("founders", "source")]
    assert (done.changes, done.source_changes) == (2, 2)
    change = load_changes(stage)[1]
    assert (change.old, change.new) == (company(IDNO)["fullName"], "ALT NUME")
    assert (change.previous_source_data_id, change.source_data_id) == (first, second)
    assert change.observed_at == FIRST + timedelta(days=2)
    assert change.recorded_at > change.observed_at
    parties = stage.rows("SELECT name, source_data_id FROM company_parties WHERE relation = 'founder'")
    assert parties == [{"name": "NOU FONDATOR", "source_data_id": second}]


def test_nothing_changes_where_a_later_capture_says_the_same(stage: RecordsHarness) -> None:
    stage.put(IDNO)
    stage.transform(IDNO)
    before = stage.tables()
    again = stage.put(IDNO, changes={"revisionDate": "2026-10-01"})
    stage.transform(IDNO)

    after = stage.tables()
    assert {table for table in before if before[table] != after[table]} == {"transformed_data"}
    assert stage.rows("SELECT source_data_id FROM transformed_data") == [{"source_data_id": again}]


def test_an_order_turned_round_is_no_change(stage: RecordsHarness) -> None:
    founders = [{**FOUNDER, "shares": 50}, {"fullName": "AL DOILEA", "id": "e" * 64, "shares": 50}]
    stage.put(IDNO, changes={"personFounders": founders, "companyFounders": []})
    stage.transform(IDNO)
    stage.put(IDNO, changes={"personFounders": founders[::-1], "companyFounders": []})
    stage.transform(IDNO)
    assert stage.changes(IDNO) == []


def test_a_part_that_did_not_come_is_no_change(stage: RecordsHarness) -> None:
    stage.put(IDNO)
    stage.transform(IDNO)
    full = stage.facts(IDNO)
    assert full is not None
    shown = [("Adresa", full.address or "")]

    stage.put(IDNO, with_statements=False)  # the request for statements failed
    stage.transform(IDNO)
    assert (stage.facts(IDNO), stage.changes(IDNO)) == (full, [])

    stage.put(IDNO, with_company=False, with_statements=False, shown=shown)  # all requests did
    stage.transform(IDNO)
    assert (stage.facts(IDNO), stage.changes(IDNO)) == (full, [])


def test_a_heading_that_adds_the_legal_form_is_no_new_name(stage: RecordsHarness) -> None:
    stage.put(IDNO, changes={"fullName": "PLOPENA AGRO"})
    stage.transform(IDNO)
    stage.put(IDNO, changes={"fullName": "PLOPENA AGRO SRL"}, with_company=False, with_statements=False)
    stage.transform(IDNO)
    facts = stage.facts(IDNO)
    assert (facts and facts.name, stage.changes(IDNO)) == ("PLOPENA AGRO", [])


def test_what_the_source_says_it_no_longer_has_is_a_change(stage: RecordsHarness) -> None:
    stage.put(IDNO, changes={"personFounders": [FOUNDER], "companyFounders": []})
    stage.transform(IDNO)
    stage.put(IDNO, changes={"personFounders": [], "companyFounders": []}, statements=[])
    stage.transform(IDNO)
    facts = stage.facts(IDNO)
    assert facts is not None
    assert (facts.founders, facts.statements) == ((), ())
    assert ("founders", "source") in stage.changes(IDNO)


def test_what_the_page_shows_otherwise_than_older_data_is_a_change(stage: RecordsHarness) -> None:
    stage.put(IDNO)
    stage.transform(IDNO)
    stage.put(
        IDNO, with_company=False, with_statements=False, shown=[("Adresa", "MD-2005, mun. Bălți, Noua, 1")]
    )
    stage.transform(IDNO)
    facts = stage.facts(IDNO)
    assert facts is not None and facts.address == "MD-2005, mun. Bălți, Noua, 1"
    assert facts.address_parts is None or facts.address_parts.street in (None, "Noua")
    assert ("address", "source") in stage.changes(IDNO)


def test_what_the_page_shows_that_older_data_said_was_absent_is_a_change(stage: RecordsHarness) -> None:
    stage.put(IDNO, changes={"registeredAt": None})
    stage.transform(IDNO)
    stage.put(IDNO, with_company=False, with_statements=False, shown=[("Data înregistrării", "09.07.2020")])
    stage.transform(IDNO)
    facts = stage.facts(IDNO)
    assert (str(facts and facts.registered_on), stage.changes(IDNO)) == (
        "2020-07-09",
        [("registered_on", "source")],
    )


def test_a_parsers_change_is_never_news(stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.put(IDNO, changes={"registeredAt": "2003-07-09"})
    stage.version(1)
    monkeypatch.setattr("pipeline.records.record_updates.transform", _without_dates)
    stage.transform(IDNO)
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    stage.version(2)
    stage.retransform()
    assert stage.changes(IDNO) == [("registered_on", "parser")]
    [change] = load_changes(stage)
    assert (change.previous_version, change.transform_version) == (1, 2)


def test_an_upgrade_and_a_newer_capture_at_once_are_told_apart(
    stage: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stage.put(IDNO, changes={"registeredAt": "2003-07-09"})
    stage.version(1)
    monkeypatch.setattr("pipeline.records.record_updates.transform", _without_dates)
    stage.transform(IDNO)
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    stage.version(2)
    second = stage.put(IDNO, changes={"registeredAt": "2003-07-09", "fullName": "ALT NUME"})
    stage.retransform()

    assert stage.changes(IDNO) == [("registered_on", "parser"), ("name", "source")]
    news, upgrade = load_changes(stage)
    assert (upgrade.source_data_id, upgrade.new) == (first, "2003-07-09")
    assert (news.source_data_id, news.previous_version) == (second, 2)


def test_a_record_can_be_had_as_it_was_before_each_change(stage: RecordsHarness) -> None:
    newest, *older = statements()
    versions: list[dict[str, Any]] = [
        {"statements": [newest]},
        {"statements": [{**newest, "CODE_5_430": 77}, {**newest, "year": 1999}], "changes": {"type": "SA"}},
        {
            "statements": [{**newest, "year": 1999}],
            "changes": {"personFounders": [FOUNDER], "companyFounders": []},
        },
        {"statements": [newest, *older], "changes": {"address": None, "cuatm": None, "isActive": None}},
    ]
    known = []
    for version in versions:
        stage.put(IDNO, **version)
        stage.transform(IDNO)
        known.append((stage.facts(IDNO), len(load_changes(stage))))

    latest, total = known[-1]
    assert latest is not None and total > 6
    for facts, count in known:
        undone = load_changes(stage)[: total - count]  # the newest first
        assert undo_changes(latest, undone) == facts


def _without_dates(**arguments: Any) -> Any:
    read = transform(**arguments)
    return replace(read, facts=read.facts.model_copy(update={"registered_on": None}))
