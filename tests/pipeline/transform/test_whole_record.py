"""Tests with rendered companies: the HTML, the JSON, and both together yield the true facts."""

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
from tests.pipeline.transform.rendered import COMPANIES, VARIANTS, RenderedPage
from warehouse.records.models import Party, Statement

Json = dict[str, Any]
_SINGLE = ("name", "legal_form", "legal_form_name", "address")
_ACTIVITIES = ("licensed_activities", "unlicensed_activities")


def as_record(reading: Reading, statements: Sequence[Statement]) -> Json:
    """Convert a reading to the format of `expected_record`."""
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
    """Reduce a record to what all pages show: no activity codes, CUATM kinds or roles, only the newest year."""
    parts, cuatm = record["address_parts"], record["cuatm"]
    return {
        **record,
        "address_parts": parts and {**parts, "district": None, "city": comparison_key(parts["city"] or "")},
        "cuatm": cuatm and {**cuatm, "kind": None},
        "administrators": [{**each, "role": None} for each in record["administrators"]],
        **{field: [each["name"] for each in record[field]] for field in _ACTIVITIES},
        "statements": [{**each, "document_type": None} for each in record["statements"][:1]],
    }


def differences(
    pages: Sequence[RenderedPage], read: Callable[[RenderedPage], tuple[Json, Json]]
) -> list[str]:
    """Return a text for each field whose value is not the expected one."""
    texts: list[str] = []
    for page in pages:
        actual, expected = read(page)
        texts += [
            f"{page.path}: {field}: {actual.get(field)!r} instead of {value!r}"
            for field, value in expected.items()
            if actual.get(field) != value
        ]
    return texts


def test_the_pages_cover_every_layout_language_and_variant(rendered_pages: list[RenderedPage]) -> None:
    combinations = {(page.layout, page.lang, page.variant) for page in rendered_pages}

    assert len(combinations) == len(Layout) * len(Lang) * len(VARIANTS)
    assert len({page.idno for page in rendered_pages}) == COMPANIES


def test_the_html_alone_yields_all_facts_that_it_shows(rendered_pages: list[RenderedPage]) -> None:
    def read(page: RenderedPage) -> tuple[Json, Json]:
        reading = read_html(page.html, page.idno)
        return as_shown(as_record(reading, reading.statements)), as_shown(expected_record(page.idno))

    assert differences(rendered_pages, read) == []


def test_the_json_alone_yields_all_facts(rendered_pages: list[RenderedPage]) -> None:
    def read(page: RenderedPage) -> tuple[Json, Json]:
        reading = read_payloads(page.bodies, page.idno)
        assert reading is not None
        return as_record(
            reading, read_filed_statements(list(map(parse_json, page.bodies)), page.idno).statements
        ), expected_record(page.idno)

    assert differences(rendered_pages, read) == []


def test_html_and_json_never_disagree_and_have_no_unknown_fields(
    rendered_pages: list[RenderedPage],
) -> None:
    for page in rendered_pages:
        transformed = transform(idno=page.idno, html=page.html, bodies=page.bodies)

        problems = (transformed.disagreements, transformed.unknown, transformed.notes)
        assert problems == ({}, (), ()), page.path


def test_each_fact_of_a_page_without_json_has_its_raw_text(
    rendered_pages: list[RenderedPage],
) -> None:
    for page in rendered_pages[:200]:
        transformed = transform(idno=page.idno, html=page.html, bodies=[])

        assert transformed.stated == frozenset()
        present = {
            field for field, value in transformed.facts if value not in (None, (), {}) and field != "idno"
        }
        assert set(transformed.sources) == present
        assert {source.reading for source in transformed.sources.values()} == {ReadingKind.HTML}
        assert all(source.raw for field, source in transformed.sources.items() if field != "statements")
        assert all(source.rule for source in transformed.sources.values())


@pytest.mark.parametrize("field", ["address", "cuatm", "licensed_activities", "statements"])
def test_many_companies_have_the_compared_fields(rendered_pages: list[RenderedPage], field: str) -> None:
    assert sum(1 for page in rendered_pages if expected_record(page.idno)[field]) > COMPANIES / 3
