"""Tests of the history: what counts as a change, and whether its cause is the source or the parser."""

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


def load_changes(harness: RecordsHarness) -> list[Change]:
    rows = harness.rows("SELECT * FROM company_changes WHERE idno = :idno ORDER BY id DESC", idno=IDNO)
    return [Change.model_validate(row) for row in rows]


def statements() -> list[dict[str, Any]]:
    return fin_data(IDNO) or [{"idno": IDNO, "year": 2024, "doctype": "rsf1", "CODE_5_430": 10}]


def test_first_record_is_not_a_change(harness: RecordsHarness) -> None:
    harness.put(IDNO)
    [done] = harness.transform(IDNO)
    assert (done.result, done.changes, harness.changes(IDNO)) == ("transformed", 0, [])


def test_source_change_names_both_captures_and_its_time(harness: RecordsHarness) -> None:
    first = harness.put(IDNO)
    harness.transform(IDNO)
    second = harness.put(
        IDNO, changes={"fullName": "ALT NUME", "personFounders": [FOUNDER], "companyFounders": []}
    )
    [done] = harness.transform(IDNO)

    assert harness.changes(IDNO) == [("name", "source"), ("founders", "source")]
    assert (done.changes, done.source_changes) == (2, 2)
    change = load_changes(harness)[1]
    assert (change.old, change.new) == (company(IDNO)["fullName"], "ALT NUME")
    assert (change.previous_source_data_id, change.source_data_id) == (first, second)
    assert change.observed_at == FIRST + timedelta(days=2)
    assert change.recorded_at > change.observed_at
    parties = harness.rows("SELECT name, source_data_id FROM company_parties WHERE relation = 'founder'")
    assert parties == [{"name": "NOU FONDATOR", "source_data_id": second}]


def test_equal_capture_changes_only_the_head(harness: RecordsHarness) -> None:
    harness.put(IDNO)
    harness.transform(IDNO)
    before = harness.tables()
    again = harness.put(IDNO, changes={"revisionDate": "2026-10-01"})
    harness.transform(IDNO)

    after = harness.tables()
    assert {table for table in before if before[table] != after[table]} == {"transformed_data"}
    assert harness.rows("SELECT source_data_id FROM transformed_data") == [{"source_data_id": again}]


def test_reversed_order_is_not_a_change(harness: RecordsHarness) -> None:
    founders = [{**FOUNDER, "shares": 50}, {"fullName": "AL DOILEA", "id": "e" * 64, "shares": 50}]
    harness.put(IDNO, changes={"personFounders": founders, "companyFounders": []})
    harness.transform(IDNO)
    harness.put(IDNO, changes={"personFounders": founders[::-1], "companyFounders": []})
    harness.transform(IDNO)
    assert harness.changes(IDNO) == []


def test_missing_payload_is_not_a_change(harness: RecordsHarness) -> None:
    harness.put(IDNO)
    harness.transform(IDNO)
    full = harness.facts(IDNO)
    assert full is not None
    shown = [("Adresa", full.address or "")]

    harness.put(IDNO, with_statements=False)  # the request for statements failed
    harness.transform(IDNO)
    assert (harness.facts(IDNO), harness.changes(IDNO)) == (full, [])

    harness.put(IDNO, with_company=False, with_statements=False, shown=shown)  # all requests did
    harness.transform(IDNO)
    assert (harness.facts(IDNO), harness.changes(IDNO)) == (full, [])


def test_heading_with_the_legal_form_is_not_a_new_name(harness: RecordsHarness) -> None:
    harness.put(IDNO, changes={"fullName": "PLOPENA AGRO"})
    harness.transform(IDNO)
    harness.put(IDNO, changes={"fullName": "PLOPENA AGRO SRL"}, with_company=False, with_statements=False)
    harness.transform(IDNO)
    facts = harness.facts(IDNO)
    assert (facts and facts.name, harness.changes(IDNO)) == ("PLOPENA AGRO", [])


def test_fact_that_the_source_states_as_absent_is_a_change(harness: RecordsHarness) -> None:
    harness.put(IDNO, changes={"personFounders": [FOUNDER], "companyFounders": []})
    harness.transform(IDNO)
    harness.put(IDNO, changes={"personFounders": [], "companyFounders": []}, statements=[])
    harness.transform(IDNO)
    facts = harness.facts(IDNO)
    assert facts is not None
    assert (facts.founders, facts.statements) == ((), ())
    assert ("founders", "source") in harness.changes(IDNO)


def test_page_that_contradicts_older_json_is_a_change(harness: RecordsHarness) -> None:
    harness.put(IDNO)
    harness.transform(IDNO)
    harness.put(
        IDNO, with_company=False, with_statements=False, shown=[("Adresa", "MD-2005, mun. Bălți, Noua, 1")]
    )
    harness.transform(IDNO)
    facts = harness.facts(IDNO)
    assert facts is not None and facts.address == "MD-2005, mun. Bălți, Noua, 1"
    assert facts.address_parts is None or facts.address_parts.street in (None, "Noua")
    assert ("address", "source") in harness.changes(IDNO)


def test_page_that_shows_a_formerly_absent_fact_is_a_change(harness: RecordsHarness) -> None:
    harness.put(IDNO, changes={"registeredAt": None})
    harness.transform(IDNO)
    harness.put(IDNO, with_company=False, with_statements=False, shown=[("Data înregistrării", "09.07.2020")])
    harness.transform(IDNO)
    facts = harness.facts(IDNO)
    assert (str(facts and facts.registered_on), harness.changes(IDNO)) == (
        "2020-07-09",
        [("registered_on", "source")],
    )


def test_change_by_the_parser_has_the_cause_parser(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.put(IDNO, changes={"registeredAt": "2003-07-09"})
    harness.version(1)
    monkeypatch.setattr("pipeline.records.record_updates.transform", _without_dates)
    harness.transform(IDNO)
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    harness.version(2)
    harness.retransform()
    assert harness.changes(IDNO) == [("registered_on", "parser")]
    [change] = load_changes(harness)
    assert (change.previous_version, change.transform_version) == (1, 2)


def test_causes_of_an_upgrade_and_a_newer_capture_are_distinguished(
    harness: RecordsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = harness.put(IDNO, changes={"registeredAt": "2003-07-09"})
    harness.version(1)
    monkeypatch.setattr("pipeline.records.record_updates.transform", _without_dates)
    harness.transform(IDNO)
    monkeypatch.setattr("pipeline.records.record_updates.transform", transform)
    harness.version(2)
    second = harness.put(IDNO, changes={"registeredAt": "2003-07-09", "fullName": "ALT NUME"})
    harness.retransform()

    assert harness.changes(IDNO) == [("registered_on", "parser"), ("name", "source")]
    news, upgrade = load_changes(harness)
    assert (upgrade.source_data_id, upgrade.new) == (first, "2003-07-09")
    assert (news.source_data_id, news.previous_version) == (second, 2)


def test_record_before_each_change_can_be_restored(harness: RecordsHarness) -> None:
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
        harness.put(IDNO, **version)
        harness.transform(IDNO)
        known.append((harness.facts(IDNO), len(load_changes(harness))))

    latest, total = known[-1]
    assert latest is not None and total > 6
    for facts, count in known:
        undone = load_changes(harness)[: total - count]  # the newest first
        assert undo_changes(latest, undone) == facts


def _without_dates(**arguments: Any) -> Any:
    read = transform(**arguments)
    return replace(read, facts=read.facts.model_copy(update={"registered_on": None}))
