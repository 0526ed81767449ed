"""Tests of the comparison of values, and of the provenance and disagreements that the merge records."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.agreement import agree
from pipeline.transform.merge import Transformed, transform
from tests.pipeline.transform.html_pages import IDNO, PageCompany, definitions, page
from warehouse.records.models import (
    Activity,
    AddressParts,
    CompanyStatus,
    Cuatm,
    Party,
    PartyKind,
    Statement,
    StatementLine,
)


def party(name: str, share: str | None = None, **others: Any) -> Party:
    return Party(name=name, kind=PartyKind.PERSON, share=None if share is None else Decimal(share), **others)


def filed(year: int, **rows: int) -> Statement:
    codes = {"assets": (5, "430"), "revenue": (6, "010"), "profit": (6, "160")}
    lines = (StatementLine(*codes[name], Decimal(amount)) for name, amount in rows.items())
    return Statement(year=year, document_type="rsf1", lines=tuple(lines))


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("address", "str. Ştiinţei 1", "STR. ȘTIINȚEI, 1"),
        ("legal_form", "SRL", "S.R.L."),
        ("status", CompanyStatus.ACTIVE, CompanyStatus.ACTIVE),
        ("founders", (party("A B", "33.33"), party("C")), (party("c"), party("a b", "33.3", source_id="x"))),
        ("licensed_activities", (Activity(name="Comerţ"),), (Activity(name="COMERȚ", code="21"),)),
        ("cuatm", Cuatm(code="130000"), Cuatm(code="130000", name="SEC.CENTRU", kind="X")),
        ("cuatm", Cuatm(name="Sec. Centru"), Cuatm(code="130000", name="SEC.CENTRU")),
        ("address_parts", AddressParts(city="SOROCA"), AddressParts(city="Soroca", street="Pilda")),
        ("statements", (filed(2024, assets=5),), (filed(2024, assets=5, profit=7), filed(2023, assets=6))),
        ("founders", (), (party("A"),)),
        ("address", None, "str. Pilda"),
    ],
)
def test_values_that_mean_the_same_agree(field: str, one: Any, other: Any) -> None:
    assert agree(field, one, other)
    assert agree(field, other, one)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("address", "str. Pilda 1", "str. Pilda 2"),
        ("registered_on", date(2020, 1, 2), date(2020, 2, 1)),
        ("founders", (party("A", "50"),), (party("A", "51"),)),
        ("founders", (party("A"),), (party("A"), party("B"))),
        ("unlicensed_activities", (Activity(name="A"),), (Activity(name="A"), Activity(name="B"))),
        ("cuatm", Cuatm(code="130000", name="X"), Cuatm(code="150000", name="X")),
        ("cuatm", Cuatm(code="130000"), Cuatm(name="X")),
        ("address_parts", AddressParts(city="Soroca"), AddressParts(city="Orhei")),
        ("statements", (filed(2024, assets=5),), (filed(2024, assets=6),)),
        ("statements", (filed(2024, assets=5),), (filed(2023, assets=5),)),
    ],
)
def test_values_that_contradict_each_other_do_not_agree(field: str, one: Any, other: Any) -> None:
    assert not agree(field, one, other)
    assert not agree(field, other, one)


def merged(html: str | None = None, filed: Any = None, **answer: Any) -> Transformed:
    bodies = [json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO", **answer}).encode()]
    bodies += [json.dumps(filed).encode()] if filed is not None else []
    return transform(idno=IDNO, html=html or page(PageCompany()), bodies=bodies)


def with_facts(rows: str) -> str:
    return page(PageCompany(), lambda company: f"{definitions(company)}{rows}")


CUATM = "<dl><dt>CUATM</dt><dd>SEC.CENTRU (130000)</dd></dl>"
FIGURES = "<h2>Situații financiare, 2024</h2><dl><dt>Total active</dt><dd>5 000 MDL</dd></dl>"


def _source(transformed: Transformed, field: str) -> tuple[str, str | None]:
    source = transformed.sources[field]
    return source.reading, source.raw


def test_each_fact_has_its_reading_and_raw_text_as_provenance() -> None:
    transformed = merged(
        with_facts(CUATM), isActive=True, personFounders=[{"fullName": "MODELEANU ION", "shares": 33.33}]
    )

    assert _source(transformed, "status") == ("json", "true")
    assert _source(transformed, "cuatm") == ("html", "SEC.CENTRU (130000)")
    assert _source(transformed, "registered_on") == ("html", PageCompany().date)
    assert _source(transformed, "address_parts") == ("html", PageCompany().address)
    assert transformed.sources["founders"].raw == (
        '{"personFounders": [{"fullName": "MODELEANU ION", "shares": 33.33}]}'
    )
    assert "idno" not in transformed.sources


def test_the_raw_text_of_a_fact_is_limited_in_length() -> None:
    founders = [{"fullName": f"MODELEANU {chr(65 + i % 26)}{chr(97 + i // 26)}ION"} for i in range(100)]
    source = merged(personFounders=founders).sources["founders"]

    assert source.raw is not None
    assert len(source.raw) == 2000


def test_the_html_alone_states_no_fields() -> None:
    assert transform(idno=IDNO, html=page(PageCompany()), bodies=[]).stated == frozenset()


def test_the_json_states_the_fields_that_it_has_keys_for() -> None:
    assert merged(type="NULL", cuatm=None).stated == {"name", "legal_form", "legal_form_name", "cuatm"}
    assert merged(filed=[]).stated == {"name", "statements"}


def test_disagreements_are_recorded_for_all_fields() -> None:
    statements = [{"idno": IDNO, "year": 2024, "doctype": "rsf1", "CODE_5_430": 6000}]
    transformed = merged(
        with_facts(CUATM + FIGURES), filed=statements, cuatm={"statisticId": "150000", "name": "SEC.RISCANI"}
    )

    assert transformed.facts.statements[0].figures() == {"total_assets": 6000}
    assert transformed.disagreements == {
        "cuatm": {
            "html": {"code": "130000", "name": "SEC.CENTRU"},
            "json": {"code": "150000", "name": "SEC.RISCANI"},
        },
        "statements": {
            "html": [{"year": 2024, "total_assets": "5000"}],
            "json": [{"year": 2024, "total_assets": "6000"}],
        },
    }
    json.dumps(transformed.disagreements)


def test_statements_are_read_even_if_the_company_payload_is_missing() -> None:
    body = json.dumps([{"idno": IDNO, "year": 2024, "doctype": "rsf1", "CODE_5_430": 6000}]).encode()
    transformed = transform(idno=IDNO, html=page(PageCompany()), bodies=[body])

    assert transformed.facts.statements[0].figures() == {"total_assets": 6000}
    assert _source(transformed, "statements") == ("json", None)


def test_address_parts_of_an_unused_address_are_not_used() -> None:
    transformed = merged(address={"fullName": "SOROCA"})

    assert transformed.facts.address == "SOROCA"
    assert transformed.facts.address_parts is None


def test_the_name_of_an_unused_legal_form_is_not_used() -> None:
    transformed = merged(type="XYZ")

    assert (transformed.facts.legal_form, transformed.facts.legal_form_name) == ("XYZ", None)


def test_the_name_of_a_legal_form_is_that_of_the_register() -> None:
    transformed = transform(
        idno=IDNO, html=page(PageCompany(form="Общество с ограниченной ответственностью")), bodies=[]
    )

    assert transformed.facts.legal_form == "SRL"
    assert transformed.facts.legal_form_name == "Societate cu răspundere limitată"
