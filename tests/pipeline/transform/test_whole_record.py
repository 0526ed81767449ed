"""A thousand companies as a browser shows them: the page alone, the data alone, and both tell what is true."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_filed_statements, read_payloads
from pipeline.transform.json.values import parse_json
from pipeline.transform.merge import ReadingKind, transform
from pipeline.transform.reading import Reading
from pipeline.transform.source_text import comparison_key
from standin import Lang, Layout, expected_record
from tests.pipeline.transform.rendered import COMPANIES, VARIANTS, Rendered
from warehouse.records.models import Party, Statement

Json = dict[str, Any]
_SINGLE = ("name", "legal_form", "legal_form_name", "address")
_ACTIVITIES = ("licensed_activities", "unlicensed_activities")


def told(reading: Reading, statements: Sequence[Statement]) -> Json:
    """A reading in the plain form of the truth."""
    return {
        "idno": reading.idno,
        **{field: getattr(reading, field) for field in _SINGLE},
        "status": reading.status and reading.status.value,
        "registered_on": reading.registered_on and reading.registered_on.isoformat(),
        "address_parts": reading.address_parts and reading.address_parts.model_dump(),
        "cuatm": reading.cuatm and reading.cuatm.model_dump(),
        "founders": [founder(party) for party in reading.founders],
        "administrators": [administrator(party) for party in reading.administrators],
        **{field: [each.model_dump() for each in getattr(reading, field)] for field in _ACTIVITIES},
        "statements": [figures(statement) for statement in statements],
    }


def founder(party: Party) -> Json:
    share = None if party.share is None else float(party.share)
    return {"name": party.name, "kind": party.kind.value, "share": share, "idno": party.idno}


def administrator(party: Party) -> Json:
    return {"name": party.name, "kind": party.kind.value, "role": party.role, "idno": party.idno}


def figures(statement: Statement) -> Json:
    amounts = {name: int(amount) for name, amount in statement.figures().items()}
    return {"year": statement.year, "document_type": statement.document_type, **amounts}


def as_shown(record: Json) -> Json:
    """What of a record all pages show: no codes of activities, no kinds of places, no roles, the newest year alone."""
    parts, cuatm = record["address_parts"], record["cuatm"]
    return {
        **record,
        "address_parts": parts and {**parts, "district": None, "city": comparison_key(parts["city"] or "")},
        "cuatm": cuatm and {**cuatm, "kind": None},
        "administrators": [{**each, "role": None} for each in record["administrators"]],
        **{field: [each["name"] for each in record[field]] for field in _ACTIVITIES},
        "statements": [{**each, "document_type": None} for each in record["statements"][:1]],
    }


def differences(pages: Sequence[Rendered], read: Callable[[Rendered], tuple[Json, Json]]) -> list[str]:
    """What is read and not true, or true and not read, as texts."""
    found: list[str] = []
    for page in pages:
        is_read, is_true = read(page)
        found += [
            f"{page.path}: {field}: {is_read.get(field)!r}, but {value!r}"
            for field, value in is_true.items()
            if is_read.get(field) != value
        ]
    return found


def test_the_companies_come_in_every_layout_language_and_variant(rendered_pages: list[Rendered]) -> None:
    ways = {(page.layout, page.lang, page.variant) for page in rendered_pages}

    assert len(ways) == len(Layout) * len(Lang) * len(VARIANTS)
    assert len({page.idno for page in rendered_pages}) == COMPANIES


def test_the_page_alone_tells_all_that_it_shows(rendered_pages: list[Rendered]) -> None:
    def read(page: Rendered) -> tuple[Json, Json]:
        reading = read_html(page.html, page.idno)
        return as_shown(told(reading, reading.statements)), as_shown(expected_record(page.idno))

    assert differences(rendered_pages, read) == []


def test_the_data_alone_tells_all_that_is_true(rendered_pages: list[Rendered]) -> None:
    def read(page: Rendered) -> tuple[Json, Json]:
        reading = read_payloads(page.bodies, page.idno)
        assert reading is not None
        return told(
            reading, read_filed_statements(list(map(parse_json, page.bodies)), page.idno).statements
        ), expected_record(page.idno)

    assert differences(rendered_pages, read) == []


def test_the_page_and_its_data_never_disagree_and_leave_nothing_unknown(
    rendered_pages: list[Rendered],
) -> None:
    for page in rendered_pages:
        transformed = transform(idno=page.idno, html=page.html, bodies=page.bodies)

        told_of = (transformed.disagreements, transformed.unknown, transformed.notes)
        assert told_of == ({}, (), ()), page.path


def test_each_fact_of_a_page_without_data_bears_the_text_it_was_read_from(
    rendered_pages: list[Rendered],
) -> None:
    for page in rendered_pages[:200]:
        transformed = transform(idno=page.idno, html=page.html, bodies=[])

        assert transformed.stated == frozenset()
        held = {field for field, value in transformed.facts if value not in (None, ()) and field != "idno"}
        assert set(transformed.sources) == held
        assert {source.reading for source in transformed.sources.values()} == {ReadingKind.HTML}
        assert all(source.raw for field, source in transformed.sources.items() if field != "statements")


@pytest.mark.parametrize("field", ["address", "cuatm", "licensed_activities", "statements"])
def test_many_companies_have_what_is_compared(rendered_pages: list[Rendered], field: str) -> None:
    assert sum(1 for page in rendered_pages if expected_record(page.idno)[field]) > COMPANIES / 3
