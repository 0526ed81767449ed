"""Founders and administrators in the JSON: names with an IDNO, junk, shares, roles."""

from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.json.payloads import read_company
from pipeline.transform.merge import transform
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO, OWNER_IDNO
from warehouse.records.models import PartyKind

WRONG_IDNO = OWNER_IDNO[:-1] + str((int(OWNER_IDNO[-1]) + 1) % 10)


def read(**lists: Any) -> Reading:
    reading = read_company([{"idno": IDNO, "fullName": "PLOPENA AGRO", **lists}], IDNO)
    assert reading is not None
    return reading


def persons(*entries: tuple[str, Any]) -> Reading:
    founders = [{"fullName": name, "shares": share} for name, share in entries]
    return read(personFounders=founders, companyFounders=[])


@pytest.mark.parametrize("key", ["fullName", "name"])
@pytest.mark.parametrize("absent", ["NULL", "undefined", None])
@pytest.mark.parametrize(("idno", "expected"), [(OWNER_IDNO, OWNER_IDNO), (WRONG_IDNO, None), (IDNO, None)])
def test_idno_and_address_in_a_name_are_separated_from_it(
    key: str, absent: str | None, idno: str, expected: str | None
) -> None:
    text = f'"ALFA" SRL, IDNO {idno}\nMD-2028, STR. X 1'
    [party] = read(companyFounders=[{key: text, "idno": absent, "shares": 80}], personFounders=[]).founders

    assert (party.name, party.idno, party.share) == ('"ALFA" SRL', expected, Decimal(80))
    assert party.remark is not None and "MD-2028, STR. X 1" in party.remark
    assert (f"IDNO {idno}" in party.remark) is (expected is None)


def test_idno_written_as_a_number_is_an_idno() -> None:
    [party] = read(companyFounders=[{"fullName": "ALFA SRL", "idno": int(OWNER_IDNO), "shares": 80}]).founders

    assert party.idno == OWNER_IDNO


@pytest.mark.parametrize("idno", [WRONG_IDNO, IDNO, "213976"])
def test_idno_that_is_invalid_or_the_companys_own_is_a_remark(idno: str) -> None:
    [party] = read(companyFounders=[{"fullName": "ALFA, BETA & CO", "idno": idno, "shares": 80}]).founders

    assert (party.name, party.idno, party.remark) == ("ALFA, BETA & CO", None, f"IDNO {idno}")


@pytest.mark.parametrize(
    "name", ["1", ",", "< <", "TOTAL 12 MEMBRI", "MEMBRII COOPERATIVEI", "RADIAT DIN REGISTRU"]
)
def test_junk_is_unread_and_the_list_is_not_stated(name: str) -> None:
    reading = persons((name, 50), ("PILDA ANA", 50))

    assert [party.name for party in reading.founders] == ["PILDA ANA"]
    assert [item.field for item in reading.unread] == ["founders"]
    assert reading.incomplete == {"founders"} and "founders" not in reading.stated


@pytest.mark.parametrize("name", ["STATUL", "AGENȚIA PROPRIETĂȚII PUBLICE", "PRIMĂRIA MUN. MODEL"])
def test_public_body_among_the_persons_is_no_person(name: str) -> None:
    [party] = persons((name, 100)).founders

    assert (party.name, party.kind, party.share) == (name, PartyKind.COMPANY, Decimal(100))


@pytest.mark.parametrize("name", ["RUSU A, RUSU B", "RUSU A și RUSU B", "RUSU A & RUSU B"])
def test_stake_of_two_names_in_one_entry_belongs_to_neither(name: str) -> None:
    founders = persons((name, 25), ("MODEL C", 75)).founders

    assert [(party.name, party.share) for party in founders] == [
        ("RUSU A", None),
        ("RUSU B", None),
        ("MODEL C", 75),
    ]
    assert founders[0].remark == "joint stake: 25"


@pytest.mark.parametrize("shares", [(0.5, 0.5), (100, 50), (60, 60), (-5, 50), (1,)])
def test_shares_that_cannot_be_right_together_are_remarks(shares: tuple[float, ...]) -> None:
    names = ("PILDA ANA", "RUSU ION")
    reading = persons(*zip(names, shares, strict=False))

    assert [party.share for party in reading.founders] == [None] * len(shares)
    assert [party.remark for party in reading.founders] == [str(share) for share in shares]
    assert [item.field for item in reading.unread] == ["founders"]


def test_zero_is_no_share() -> None:
    assert [party.share for party in persons(("PILDA ANA", 0), ("RUSU ION", 100)).founders] == [None, 100]


def test_accountant_among_the_administrators_is_a_remark() -> None:
    reading = read(
        personAdministrators=[
            {"fullName": "PILDA ANA", "type": "CONTABIL"},
            {"fullName": "RUSU ION", "type": "ADMINISTRATOR PROVIZORIU"},
        ],
        companyAdministrators=[],
    )

    assert [(party.name, party.role) for party in reading.administrators] == [
        ("RUSU ION", "ADMINISTRATOR PROVIZORIU")
    ]
    assert reading.remarks == {"administrators": ("PILDA ANA, CONTABIL",)}


def test_empty_list_of_founders_of_a_joint_stock_company_does_not_mean_none() -> None:
    lists: dict[str, Any] = {"personFounders": [], "companyFounders": []}

    assert "founders" not in read(type="SA", **lists).stated
    assert "founders" in read(type="SRL", **lists).stated


def test_complete_json_completes_a_list_that_the_page_truncates() -> None:
    html = (
        f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p><h3>Fondatori (2)</h3>"
        "<ul><li>PILDA ANA (60%)</li></ul></main></body>"
    )
    body = (
        f'{{"idno": "{IDNO}", "fullName": "PLOPENA AGRO", "companyFounders": [], "personFounders": ['
        '{"fullName": "PILDA ANA", "shares": 60}, {"fullName": "RUSU ION", "shares": 40}]}'
    )
    alone, together = (transform(idno=IDNO, html=html, bodies=bodies) for bodies in ([], [body.encode()]))

    assert alone.incomplete == {"founders"} and together.incomplete == frozenset()
    assert len(together.facts.founders) == 2 and together.disagreements == {}
