"""Remarks, unread texts, incomplete lists and rules, from the readings to a company's facts."""

import json
from typing import Any

import pytest

from pipeline.transform.carry_forward import CaptureReading, ResolvedFacts, resolve_facts
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.merge import Transformed, merge
from pipeline.transform.reading import Reading, Unread
from warehouse.records.models import Activity, CompanyFacts, CompanyStatus, Party, PartyKind
from warehouse.records.record_diff import Difference, differences

IDNO = "1020999000019"
ANA, ION, VASILE = (
    Party(name=name, kind=PartyKind.PERSON) for name in ("POPA ANA", "RUSU ION", "LUPU VASILE")
)


def transformed(*, stated: tuple[str, ...] = (), **values: Any) -> Transformed:
    """Return a capture's transformation; keyword arguments are facts or fields of Transformed."""
    own = {name: values.pop(name) for name in ("remarks", "unread", "incomplete") if name in values}
    facts = CompanyFacts(idno=IDNO, **{"name": "X", **values})
    return Transformed(facts, frozenset(stated), {}, {}, **own)


def resolve(newest: Transformed, *earlier: Transformed) -> ResolvedFacts:
    return resolve_facts(CaptureReading(9, newest), [CaptureReading(1, each) for each in earlier])


def test_remarks_and_unread_texts_of_both_readings_are_kept_once() -> None:
    shared = Unread("address", "loading", "a placeholder")
    page = Reading(remarks={"status": ("în lichidare", "x")}, unread=(shared,))
    data = Reading(
        remarks={"status": ("x", "y"), "founders": ()}, unread=(shared, Unread("status", "?", "odd"))
    )

    merged = merge(IDNO, Reading(name="X", remarks=page.remarks, unread=page.unread), data)

    assert merged.remarks == {"status": ("în lichidare", "x", "y")}
    assert merged.unread == (shared, Unread("status", "?", "odd"))


def test_unread_texts_are_bounded_and_can_be_stored() -> None:
    texts = tuple(Unread("status", f"{number}\0\ud800" + "x" * 9000, "odd") for number in range(150))
    merged = merge(IDNO, Reading(name="X", unread=texts), None)
    assert len(merged.unread) == 100
    assert merged.notes == ("50 more texts are unread",)
    assert merged.unread[0].text.startswith("0\ufffd?xxx")
    assert max(len(unread.text) for unread in merged.unread) == 2000


def test_truncated_list_that_agrees_with_the_json_is_no_disagreement() -> None:
    page = Reading(name="X", founders=(ANA,), incomplete=frozenset({"founders"}))
    data = Reading(name="X", founders=(ANA, ION), stated=frozenset({"founders"}))
    merged = merge(IDNO, page, data)
    assert merged.facts.founders == (ANA, ION)
    assert (merged.disagreements, merged.incomplete) == ({}, frozenset())


def test_truncated_list_that_contradicts_the_json_is_a_disagreement() -> None:
    page = Reading(name="X", founders=(VASILE,), incomplete=frozenset({"founders"}))
    data = Reading(name="X", founders=(ANA, ION), stated=frozenset({"founders"}))
    assert merge(IDNO, page, data).disagreements.keys() == {"founders"}


def test_truncated_list_stays_incomplete_without_json() -> None:
    page = Reading(name="X", founders=(ANA,), incomplete=frozenset({"founders"}))
    assert merge(IDNO, page, None).incomplete == {"founders"}


@pytest.mark.parametrize(
    ("shown", "expected", "incomplete"),
    [((ANA,), (ANA, ION), ()), ((VASILE,), (VASILE,), ("founders",))],
)
def test_truncated_list_is_completed_only_from_an_earlier_list_that_contains_it(
    shown: tuple[Party, ...], expected: tuple[Party, ...], incomplete: tuple[str, ...]
) -> None:
    newest = transformed(founders=shown, incomplete=frozenset({"founders"}))
    earlier = transformed(founders=(ANA, ION), stated=("founders",))
    facts = resolve(newest, earlier).facts
    assert (facts.founders, facts.incomplete_lists) == (expected, incomplete)


def test_truncated_activities_are_completed_too() -> None:
    first, second = Activity(name="Comerț"), Activity(name="Transport", code="49")
    newest = transformed(licensed_activities=(first,), incomplete=frozenset({"licensed_activities"}))
    earlier = transformed(licensed_activities=(first, second), stated=("licensed_activities",))
    assert resolve(newest, earlier).facts.licensed_activities == (first, second)


def test_remarks_come_from_the_newest_capture_that_contains_the_field() -> None:
    earlier = transformed(
        status=CompanyStatus.ACTIVE, stated=("status",), remarks={"status": ("în reorganizare",)}
    )
    for newest, expected in (
        (transformed(), {"status": ("în reorganizare",)}),
        (transformed(status=CompanyStatus.ACTIVE), {}),
        (transformed(remarks={"status": ("în lichidare",)}), {"status": ("în lichidare",)}),
    ):
        assert resolve(newest, earlier).facts.remarks == expected


@pytest.mark.parametrize(
    ("form", "founders", "expected"),
    [
        ("SA", (), ("founders",)),
        ("Societate pe acțiuni", (), ("founders",)),
        ("SA", (ANA,), ()),
        ("SRL", (), ()),
    ],
)
def test_empty_founders_of_a_joint_stock_company_are_incomplete(
    form: str, founders: tuple[Party, ...], expected: tuple[str, ...]
) -> None:
    newest = transformed(legal_form=form, founders=founders, stated=("legal_form", "founders"))
    assert resolve(newest).facts.incomplete_lists == expected


def test_changed_remarks_are_differences_of_the_party_and_of_the_record() -> None:
    old = CompanyFacts(idno=IDNO, name="X", founders=(ANA,))
    remarked = ANA.model_copy(update={"remark": "25–50 %"})
    new = CompanyFacts(idno=IDNO, name="X", founders=(remarked,), remarks={"status": ("radiată",)})
    assert [(each.field, each.old) for each in differences(old, new)] == [
        ("founders", [ANA.model_dump(mode="json")]),
        ("remarks", None),
    ]
    assert differences(new, old)[1] == Difference("remarks", {"status": ["radiată"]}, None)


def test_rules_of_a_page_name_the_labels_and_the_heading() -> None:
    html = (
        f"<main><h1>PLOPENA AGRO</h1><p>SRL</p><p>IDNO: {IDNO}</p>"
        "<dl><dt>Stare:</dt><dd>Activă</dd></dl><p>Adresa: str. Pilda, 1</p>"
        "<h2>Fondatori</h2><ul><li>POPA ANA</li></ul></main>"
    )
    assert read_html(html, IDNO).rules == {
        "name": "heading",
        "legal_form": "text in or below the heading",
        "status": "label «Stare»",
        "address": "label «Adresa»",
        "founders": "label «Fondatori»",
    }


def test_rules_of_the_json_name_its_keys() -> None:
    company = {
        "idno": IDNO,
        "fullName": "PLOPENA AGRO",
        "isActive": True,
        "address": {"fullName": "str. Pilda, 1", "city": "Chișinău"},
        "personFounders": [],
        "companyFounders": [],
    }
    reading = read_payloads([json.dumps(company).encode()], IDNO)
    assert reading is not None
    merged = merge(IDNO, Reading(name="PLOPENA AGRO"), reading)
    rules = {field: source.rule for field, source in merged.sources.items()}
    assert rules == {
        "name": "key companies.fullName",
        "status": "key companies.isActive",
        "address": "key companies.address.fullName",
        "address_parts": "key companies.address.fullName",
    }
