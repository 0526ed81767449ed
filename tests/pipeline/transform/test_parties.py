"""Parties out of texts that join them, with notes of every manner."""

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
def test_a_joined_text_is_split_where_that_is_certain(text: str, parts: list[str]) -> None:
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
def test_a_share_is_taken_off_a_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=True)

    assert party is not None
    assert (party.name, party.share) == ("MODELEANU ION", Decimal("12.5"))


def test_a_per_cent_sign_within_a_name_stays() -> None:
    party = read_entry(["ALFA 100% NATURAL"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("ALFA 100% NATURAL", None)


def test_a_share_in_a_text_of_its_own_leaves_the_names_alone() -> None:
    party = read_entry(["LAPTE 100%", "Cota: 30%"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("LAPTE 100%", Decimal("30"))


def test_an_administrators_name_keeps_its_per_cent() -> None:
    party = read_entry(["LAPTE 100%"], position=0, with_shares=False)

    assert party is not None and (party.name, party.share) == ("LAPTE 100%", None)


@pytest.mark.parametrize(
    "text", ["MODELEANU ION (director)", "MODELEANU ION, director", "MODELEANU ION – director"]
)
def test_a_role_is_taken_off_a_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=False)

    assert party is not None and (party.name, party.role) == ("MODELEANU ION", "director")


@pytest.mark.parametrize(
    "text", [f"ALFA [IDNO {IDNO}]", f"ALFA, IDNO: {IDNO}", f"ALFA (cod fiscal {IDNO})", f"ALFA {IDNO}"]
)
def test_an_idno_is_taken_off_a_companys_name(text: str) -> None:
    party = read_entry([text], position=0, with_shares=True)

    assert party is not None and (party.name, party.idno, party.kind) == ("ALFA", IDNO, PartyKind.COMPANY)


def test_an_idno_that_cannot_be_one_is_none() -> None:
    party = read_entry(["ALFA GRUP, IDNO 1000000000000"], position=0, with_shares=True)

    assert party is not None and (party.name, party.idno) == ("ALFA GRUP", None)


def test_the_letters_of_a_picture_are_no_name() -> None:
    party = read_entry(["MI", "MODELEANU ION", "100%"], position=0, with_shares=True)

    assert party is not None and party.name == "MODELEANU ION"


def test_a_kind_in_words_decides() -> None:
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
def test_a_note_is_no_party(text: str) -> None:
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
def test_parties_are_parted_at_commas_even_where_only_some_have_notes(text: str, parts: list[str]) -> None:
    assert split_parties(text) == parts


def test_a_share_in_parentheses_may_have_its_word_before_it() -> None:
    party = read_entry(["MODELEANU ION (доля 33.33%)"], position=0, with_shares=True)

    assert party is not None and (party.name, party.share) == ("MODELEANU ION", Decimal("33.33"))
