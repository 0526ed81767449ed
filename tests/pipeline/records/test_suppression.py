"""A suppressed name is removed from all texts that a record quotes from its captures."""

from typing import Any

import pytest

from pipeline.records.suppression import without_suppressed
from pipeline.transform.carry_forward import ResolvedFacts
from pipeline.transform.reading import Unread
from standin.site_facts import make_idno
from warehouse.records.models import CompanyFacts, FieldProvenance, Party, PartyKind
from warehouse.records.redaction import ERASED, ERASURE_NOTE, Suppression, TextRedaction, redact_json

IDNO = make_idno(3950)
NAME = "MODELEANU-TEST ION"
SUPPRESSED = [Suppression.of(IDNO, "Ion Modeleanu-Test")]
ANA = Party(name="POPA ANA", kind=PartyKind.PERSON)


def resolved(*, unread: tuple[Unread, ...] = (), notes: tuple[str, ...] = (), **facts: Any) -> ResolvedFacts:
    sources = {"founders": FieldProvenance(source_data_id=1, reading="html", raw="the list")}
    return ResolvedFacts(CompanyFacts(idno=IDNO, name="X", **facts), sources, {}, (), notes, unread)


@pytest.mark.parametrize(
    "text", [NAME, f"{NAME}, 1 din 3", "1. Ion Modeleanu-Test;", f"({NAME.lower()})", f"«{NAME}» – 25"]
)
def test_unread_text_that_names_a_suppressed_person_is_removed(text: str) -> None:
    kept = Unread("status", "suspendat", "not a status")
    before = resolved(unread=(Unread("founders", text, "not a party"), kept), founders=(ANA,))

    after = without_suppressed(before, SUPPRESSED)

    assert after.unread == (kept,)
    assert after.facts.founders == (ANA,)
    assert after.notes == (f"founders: {ERASURE_NOTE}",)


def test_quotations_of_a_field_go_with_its_erased_person() -> None:
    before = resolved(
        founders=(Party(name=NAME, kind=PartyKind.PERSON, remark="27000 lei"), ANA),
        remarks={"founders": ("alt nume",), "status": ("în lichidare",)},
        unread=(Unread("founders", "MODELEANU I.", "not a party"),),
        notes=("founders: not all of the list can be read: 'MODEL…'", "a note"),
    )

    after = without_suppressed(before, SUPPRESSED)

    assert [party.name for party in after.facts.founders] == [ERASED, "POPA ANA"]
    assert after.facts.founders[0].remark is None
    assert after.facts.remarks == {"status": ("în lichidare",)}
    assert (after.unread, after.sources["founders"].raw) == ((), None)
    assert after.notes == ("a note", f"founders: {ERASURE_NOTE}")


def test_remark_of_another_party_that_names_the_person_is_removed() -> None:
    joint = ANA.model_copy(update={"remark": f"25 % together with {NAME}"})
    company = Party(name="ALFA SRL", kind=PartyKind.COMPANY, remark="27000 lei")

    after = without_suppressed(resolved(founders=(joint, company)), SUPPRESSED)

    assert after.facts.founders == (ANA, company)


def test_record_without_the_name_is_unchanged() -> None:
    before = resolved(
        founders=(ANA,),
        remarks={"founders": ("MODELEANU-TEST VASILE",)},
        unread=(Unread("founders", "ION", "not a party"),),
    )
    assert without_suppressed(before, SUPPRESSED) is before


def test_history_of_parties_and_remarks_is_redacted() -> None:
    redaction = TextRedaction(IDNO, SUPPRESSED, frozenset({"founders"}))
    person = {"name": NAME, "kind": "person", "remark": "x", "source_id": "1", "idno": None}
    other = {"name": "POPA ANA", "kind": "person", "remark": f"cu {NAME}"}
    assert redact_json([person, other], redaction) == [
        {"name": ERASED, "kind": "person", "remark": None, "source_id": None, "idno": None},
        {"name": "POPA ANA", "kind": "person", "remark": None},
    ]
    assert redact_json({"founders": ["x"], "status": ["y"]}, redaction) == {"status": ["y"]}
    assert redact_json({"founders": ["x"]}, redaction) is None
