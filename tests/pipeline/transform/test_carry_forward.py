"""The rules by which facts of earlier captures complete the newest one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.carry_forward import CaptureReading, resolve_facts, states_all_fields
from pipeline.transform.merge import ReadingKind, ReadingSource, Transformed
from pipeline.transform.reading import STATEMENTS
from warehouse.records.models import AddressParts, CompanyFacts, FieldProvenance, Statement, StatementLine
from warehouse.records.record_diff import FIELDS

IDNO = "1020999000019"


def capture(
    number: int, *, stated: tuple[str, ...] = (), facts: Mapping[str, Any] | None = None
) -> CaptureReading:
    """Build a capture; a field with a value comes from the JSON if it is `stated`, and from the HTML otherwise."""
    values = facts or {}
    kinds = {name: ReadingKind.JSON if name in stated else ReadingKind.HTML for name in values}
    sources = {name: ReadingSource(kind, f"raw {name} {number}") for name, kind in kinds.items()}
    return CaptureReading(
        number,
        Transformed(
            CompanyFacts(idno=IDNO, **{"name": "PLOPENA AGRO", **values}), frozenset(stated), sources, {}
        ),
    )


def statement(year: int, **rows: int) -> Statement:
    """Build a statement with lines of form 5: `row_430=1` is the amount 1 in row 430."""
    lines = [StatementLine(5, row.removeprefix("row_"), Decimal(value)) for row, value in rows.items()]
    return Statement(year=year, lines=tuple(lines))


def test_field_that_the_newest_json_states_is_taken_from_it_even_if_empty() -> None:
    newest = capture(3, stated=("address", "status"), facts={"address": "str. Nouă, 1"})
    earlier = capture(2, stated=("address", "status"), facts={"address": "str. Veche, 2", "status": "active"})

    resolved = resolve_facts(newest, [earlier])

    assert (resolved.facts.address, resolved.facts.status) == ("str. Nouă, 1", None)
    assert resolved.sources == {
        "address": FieldProvenance(source_data_id=3, reading="json", raw="raw address 3")
    }


def test_missing_field_is_taken_from_the_newest_capture_that_has_it() -> None:
    captures = [
        capture(4),
        capture(3, facts={"address": "str. Pilda, 3"}),
        capture(2, stated=("address",), facts={"address": "str. Pilda, 2"}),
    ]
    resolved = resolve_facts(captures[0], captures[1:])

    assert resolved.facts.address == "str. Pilda, 3"
    assert resolved.sources["address"] == FieldProvenance(
        source_data_id=3, reading="html", raw="raw address 3"
    )


def test_field_stated_as_absent_by_an_earlier_json_hides_older_values() -> None:
    older = capture(1, facts={"address": "str. Veche, 2"})
    assert resolve_facts(capture(3), [capture(2, stated=("address",)), older]).facts.address is None


def test_json_of_an_earlier_capture_refines_the_same_value_of_the_newest_html() -> None:
    newest = capture(3, facts={"address": "STR. PILDA 1", "name": "PLOPENA AGRO"})
    earlier = capture(
        2, stated=("address", "name"), facts={"address": "str. Pilda, 1", "name": "PLOPENA AGRO SRL"}
    )

    resolved = resolve_facts(newest, [earlier])

    assert (resolved.facts.address, resolved.facts.name) == ("str. Pilda, 1", "PLOPENA AGRO SRL")
    assert {source.source_data_id for source in resolved.sources.values()} == {2}


@pytest.mark.parametrize(
    ("stated", "earlier"), [(True, "str. Veche, 2"), (True, None), (False, "str. Pilda, 1")]
)
def test_newest_html_stays_unless_an_earlier_json_means_the_same(stated: bool, earlier: str | None) -> None:
    before = capture(2, stated=("address",) if stated else (), facts={"address": earlier} if earlier else {})
    oldest = capture(1, stated=("address",), facts={"address": "strada Pilda nr. 1"})

    resolved = resolve_facts(capture(3, facts={"address": "STR. PILDA 1"}), [before, oldest])

    assert resolved.facts.address == "STR. PILDA 1"
    assert resolved.sources["address"].source_data_id == 3


def test_parts_of_an_address_come_from_the_capture_of_the_address() -> None:
    newest = capture(3, facts={"address_parts": AddressParts(city="Bălți")})
    earlier = capture(2, facts={"address": "mun. Chișinău", "address_parts": AddressParts(city="Chișinău")})

    resolved = resolve_facts(newest, [earlier])

    assert resolved.facts.address_parts == AddressParts(city="Chișinău")
    assert resolved.sources["address_parts"].source_data_id == 2


def test_statements_of_earlier_captures_add_years_and_complete_contained_ones() -> None:
    newest = capture(
        3, facts={"statements": (statement(2024, row_430=5), statement(2023, row_430=7, row_620=1))}
    )
    fuller = statement(2024, row_430=5, row_620=2)
    earlier = capture(
        2,
        stated=(STATEMENTS,),
        facts={"statements": (fuller, statement(2023, row_430=9, row_620=1), statement(2022, row_430=3))},
    )
    oldest = capture(1, facts={"statements": (statement(2021, row_430=1),)})

    resolved = resolve_facts(newest, [earlier, oldest])

    assert resolved.facts.statements == (
        fuller,
        statement(2023, row_430=7, row_620=1),
        statement(2022, row_430=3),
    )
    assert {year: source.source_data_id for year, source in resolved.sources.items()} == {
        "statements/2024": 2,
        "statements/2023": 3,
        "statements/2022": 2,
    }


def test_statement_with_fewer_lines_does_not_replace_a_fuller_one() -> None:
    full = statement(2024, row_430=5, row_620=2)
    earlier = capture(2, facts={"statements": (statement(2024, row_430=5),)})
    assert resolve_facts(capture(3, facts={"statements": (full,)}), [earlier]).facts.statements == (full,)


def test_statements_that_the_newest_json_states_are_complete() -> None:
    newest = capture(3, stated=(STATEMENTS,), facts={"statements": (statement(2024, row_430=5),)})
    earlier = capture(2, facts={"statements": (statement(2023, row_430=7),)})
    assert [each.year for each in resolve_facts(newest, [earlier]).facts.statements] == [2024]


def test_problems_are_those_of_the_newest_capture() -> None:
    facts = CompanyFacts(idno=IDNO, name="PLOPENA AGRO", registered_on=date(2020, 7, 9))
    newest = Transformed(facts, frozenset(), {}, {"status": {}}, unknown=("html: Zona",), notes=("a note",))
    earlier = Transformed(
        facts, frozenset(), {}, {"name": {}}, unknown=("html: Raion",), notes=("an old note",)
    )

    resolved = resolve_facts(CaptureReading(2, newest), [CaptureReading(1, earlier)])

    assert resolved.disagreements == {"status": {}}
    assert (resolved.unknown, resolved.notes) == (("html: Zona",), ("a note",))


def test_capture_states_all_fields_only_if_none_is_missing() -> None:
    derived = ("legal_form_name", "address_parts")
    fields = tuple(field for field in FIELDS if field not in derived)
    assert states_all_fields(capture(1, stated=(*fields, STATEMENTS)).transformed)
    assert states_all_fields(capture(1, stated=(*FIELDS, STATEMENTS)).transformed)
    for missing in (STATEMENTS, *fields):
        stated = tuple(field for field in (*fields, STATEMENTS) if field != missing)
        assert not states_all_fields(capture(1, stated=stated).transformed)
