"""Tests of the JSON reading, including the quirks of the source."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.json.payloads import find_company, read_payloads
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO, OTHER_IDNO, OWNER_IDNO
from warehouse.records.models import CompanyStatus, PartyKind


def bodies(**fields: Any) -> list[bytes]:
    return [json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}).encode()]


def read(**fields: Any) -> Reading:
    reading = read_payloads(bodies(**fields), IDNO)
    assert reading is not None
    return reading


@pytest.mark.parametrize("absent", [None, "", "NULL", "undefined"])
def test_every_placeholder_for_no_value_is_read_as_none(absent: str | None) -> None:
    reading = read(
        type=absent, registeredAt=absent, isActive=absent, address={"fullName": absent}, personFounders=absent
    )

    assert reading == Reading(idno=IDNO, name="PLOPENA AGRO")


def test_both_romanian_spellings_are_kept_as_written() -> None:
    assert read(fullName="ŞTIINŢA").name == "ŞTIINŢA"
    assert read(fullName="ȘTIINȚA").name == "ȘTIINȚA"


def test_the_facts_of_a_company_are_read() -> None:
    reading = read(
        type="SRL", isActive=False, registeredAt="2020-07-09", address={"fullName": "str. Pilda, 1"}
    )

    assert (reading.legal_form, reading.status) == ("SRL", CompanyStatus.INACTIVE)
    assert (reading.registered_on, reading.address) == (date(2020, 7, 9), "str. Pilda, 1")


def test_parties_keep_their_kind_share_and_stable_id() -> None:
    person = {"fullName": "MODELEANU ION", "id": "ab12", "shares": 33.33, "sameNameCount": "NULL"}
    company = {"fullName": "ALFA", "id": OWNER_IDNO, "idno": OWNER_IDNO, "shares": "NULL"}

    first, second = read(
        personFounders=[person], companyFounders=[company, None, {"fullName": "NULL"}]
    ).founders

    assert (first.kind, first.share, first.source_id) == (PartyKind.PERSON, Decimal("33.33"), "ab12")
    assert (second.kind, second.share, second.idno) == (PartyKind.COMPANY, None, OWNER_IDNO)


def test_an_administrator_has_a_role() -> None:
    (administrator,) = read(
        personAdministrators=[{"fullName": "PROBARU VASILE", "type": "DIRECTOR"}]
    ).administrators

    assert administrator.role == "DIRECTOR"


def test_the_company_is_found_in_nested_objects_but_not_in_lists() -> None:
    company = {"idno": IDNO, "fullName": "PLOPENA AGRO"}

    assert find_company([json.dumps({"data": {"company": company}}).encode()], IDNO) == company
    assert find_company([json.dumps({"data": [company]}).encode()], IDNO) is None


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"idno": 1}'])
def test_a_body_that_describes_no_company_is_skipped(content: bytes) -> None:
    assert read_payloads([content], IDNO) is None


def test_the_payload_of_another_company_is_not_read() -> None:
    assert read_payloads(bodies(), OTHER_IDNO) is None
