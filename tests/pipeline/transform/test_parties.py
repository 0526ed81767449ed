"""Parties in texts that join them, with notes of every form."""

from decimal import Decimal

import pytest

from pipeline.transform.html.party_text import is_note, read_entry, split_parties
from warehouse.records.models import PartyKind

IDNO = "1007998000019"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("MODELEANU ION (40%), EXEMPLESCU MARIA (60%)", ["MODELEANU ION (40%)", "EXEMPLESCU MARIA (60%)"]),
        ("MODELEANU ION; EXEMPLESCU MARIA", ["MODELEANU ION", "EXEMPLESCU MARIA"]),
        ("MODELEANU ION, EXEMPLESCU MARIA", ["MODELEANU ION", "EXEMPLESCU MARIA"]),
        ("NOWHERE HOLDINGS, LTD (40%)", ["NOWHERE HOLDINGS, LTD (40%)"]),
        ("NOWHERE HOLDINGS, LTD", ["NOWHERE HOLDINGS, LTD"]),
        ("MODELEANU ION, administrator", ["MODELEANU ION, administrator"]),
        ("MODELEANU ION 12,5%", ["MODELEANU ION 12,5%"]),
        ("ALFA, BETA", []),
        ("", []),
    ],
)
def test_joined_text_is_split_only_where_the_parties_are_certain(text: str, parts: list[str]) -> None:
    assert split_parties(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *(
            "MODELEANU ION (12.5%)",
            "MODELEANU ION — 12,5 %",
            "MODELEANU ION, cota 12.5%",
            "12.5% — MODELEANU ION",
        ),
        *(
            "1. MODELEANU ION (12.5 %)",
            "MODELEANU ION 12.50%",
            "MODELEANU ION · доля: 12,5%",
            "MODELEANU ION [12.5%]",
        ),
    ],
)
def test_share_is_separated_from_the_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=True)

    assert party is not None
    assert (party.name, party.share) == ("MODELEANU ION", Decimal("12.5"))


def test_percentage_inside_a_name_is_kept() -> None:
    party = read_entry(["ALFA 100% NATURAL"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("ALFA 100% NATURAL", None)


def test_separate_share_leaves_the_percentage_in_the_name() -> None:
    party = read_entry(["LAPTE 100%", "Cota: 30%"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("LAPTE 100%", Decimal("30"))


def test_percentage_in_an_administrators_name_is_kept() -> None:
    party = read_entry(["LAPTE 100%"], position=0, with_shares=False)

    assert party is not None and (party.name, party.share) == ("LAPTE 100%", None)


@pytest.mark.parametrize(
    "text", ["MODELEANU ION (director)", "MODELEANU ION, director", "MODELEANU ION – director"]
)
def test_role_is_separated_from_the_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=False)

    assert party is not None and (party.name, party.role) == ("MODELEANU ION", "director")


@pytest.mark.parametrize(
    "text", [f"ALFA [IDNO {IDNO}]", f"ALFA, IDNO: {IDNO}", f"ALFA (cod fiscal {IDNO})", f"ALFA {IDNO}"]
)
def test_idno_is_separated_from_a_companys_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=True)

    assert party is not None and (party.name, party.idno, party.kind) == ("ALFA", IDNO, PartyKind.COMPANY)


def test_invalid_idno_is_dropped() -> None:
    party = read_entry(["ALFA GRUP, IDNO 1000000000000"], position=0, with_shares=True)

    assert party is not None and (party.name, party.idno) == ("ALFA GRUP", None)


def test_initials_in_place_of_a_picture_are_not_a_name() -> None:
    party = read_entry(["MI", "MODELEANU ION", "100%"], position=0, with_shares=True)

    assert party is not None and party.name == "MODELEANU ION"


def test_stated_kind_decides_between_person_and_company() -> None:
    party = read_entry(["MODELEANU", "Persoană juridică"], position=0, with_shares=True)

    assert party is not None and party.kind is PartyKind.COMPANY


@pytest.mark.parametrize(
    "text",
    [
        "12%",
        "1.",
        "2 persoane",
        "Administrator",
        "—",
        "Cota",
        "NULL",
        "Nume",
        "Total",
        "Vezi toți",
        "01.02.2003",
    ],
)
def test_note_is_not_a_party(text: str) -> None:
    assert is_note(text)
    assert read_entry([text], position=0, with_shares=True) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("MODELEANU ION, EXEMPLESCU MARIA (Director)", ["MODELEANU ION", "EXEMPLESCU MARIA (Director)"]),
        (
            "MODELEANU ION (cota 50%), GRUP-M (c.f. 1007998000019, cota 50%)",
            ["MODELEANU ION (cota 50%)", "GRUP-M (c.f. 1007998000019, cota 50%)"],
        ),
        ("ALFA PRIM, BETA INVEST SRL (50%)", []),
    ],
)
def test_parties_are_split_at_commas_even_if_only_some_have_notes(text: str, parts: list[str]) -> None:
    assert split_parties(text) == parts


def test_word_before_a_share_in_parentheses_is_removed() -> None:
    party = read_entry(["MODELEANU ION (доля 33.33%)"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("MODELEANU ION", Decimal("33.33"))
