"""Tests of the parsers for addresses and CUATM units: they return only what is certain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.places import address_parts, read_cuatm
from standin import expected_record
from standin.site_facts import make_idno


def parts(address: str) -> dict[str, str]:
    parsed = address_parts(address)
    return parsed.model_dump(exclude_none=True) if parsed else {}


@pytest.mark.parametrize(
    ("address", "city", "street", "number", "apartment"),
    [
        (
            "MD-2001, CHIȘINĂU CENTRU, mun. Chișinău, Fierarilor, 2, ap. 3",
            "Chișinău",
            "Fierarilor",
            "2",
            "3",
        ),
        ("MD-2001, RÎŞCANI, mun. Chişinău, str. Ştiinţei, 15", "Chişinău", "str. Ştiinţei", "15", None),
        ("MD-3100, mun. Bălți, bd. Machetei, 12/1", "Bălți", "bd. Machetei", "12/1", None),
        ("MD-3000, SOROCA, r-nul Soroca, 31 August 1989, 5A", "SOROCA", "31 August 1989", "5A", None),
        ("mun. Chișinău, str. Pilda, 7", "Chișinău", "str. Pilda", "7", None),
    ],
)
def test_an_address_in_the_register_format_is_split_into_parts(
    address: str, city: str, street: str, number: str, apartment: str | None
) -> None:
    expected = {"city": city, "street": street, "street_number": number, "apartment": apartment}
    postal_code = {"postal_code": address[:7]} if address.startswith("MD") else {}

    assert parts(address) == {**postal_code, **{part: value for part, value in expected.items() if value}}


@pytest.mark.parametrize(
    ("address", "certain"),
    [
        ("MD-2001", {"postal_code": "MD-2001"}),
        ("str. Pilda, 1", {}),
        (
            "MD-2093, COLONIŢA, mun. Chişinău, Morii, 4",
            {"postal_code": "MD-2093", "street": "Morii", "street_number": "4"},
        ),
        ("MD-2001, mun. Chișinău", {"postal_code": "MD-2001", "city": "Chișinău"}),
        ("MD-2001, mun. Chișinău, Bubuieci", {"postal_code": "MD-2001", "city": "Chișinău"}),
        ("MD-2001, mun. Chișinău, bd. Ștefan, cel Mare, 5", {"postal_code": "MD-2001", "city": "Chișinău"}),
        ("MD-2001, mun. Chișinău, Pilda, 5, of. 3", {"postal_code": "MD-2001", "city": "Chișinău"}),
        ("MD-2001, mun. Chișinău, r-nul Soroca, Pilda, 5", {"postal_code": "MD-2001"}),
        ("MD-2001, mun. Chișinău, Pilda, nr. 5", {"postal_code": "MD-2001", "city": "Chișinău"}),
        ("MD-20011, mun. Chișinău", {}),
        ("lung, " * 200 + "ap. 3", {}),
    ],
)
def test_only_certain_parts_of_other_addresses_are_returned(address: str, certain: dict[str, str]) -> None:
    assert parts(address) == certain


def test_parts_of_made_up_addresses_match_their_json() -> None:
    for number in range(500):
        truth = expected_record(make_idno(number))
        if truth["address"] is None:
            continue
        for part, value in parts(truth["address"]).items():
            assert value.casefold() == truth["address_parts"][part].casefold()


_WORDS = st.sampled_from(
    ("Pilda", "str. Ștefan cel Mare", "mun. Chișinău", "r-nul Soroca", "CENTRU", "ap. 3", "12", "MD-2001", "")
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(_WORDS, max_size=7).map(", ".join))
def test_each_part_is_the_end_of_a_piece_of_the_address(address: str) -> None:
    pieces = [piece.strip() for piece in address.split(",")]
    for part, value in parts(address).items():
        endings = [piece for piece in pieces if piece.endswith(value) or part == "postal_code"]
        assert endings, (part, value)


@given(
    street=st.sampled_from(("Pilda", "str. Ștefan cel Mare", "31 August 1989")),
    number=st.integers(1, 300).map(str) | st.sampled_from(("12/1", "5A", "7 B")),
    apartment=st.none() | st.integers(1, 300).map(str),
    place=st.sampled_from(
        (
            ("CHIȘINĂU BUIUCANI, mun. Chișinău", "Chișinău"),
            ("mun. Bălți", "Bălți"),
            ("UNGHENI, r-nul Ungheni", "UNGHENI"),
        )
    ),
)
def test_a_composed_address_is_split_into_the_same_parts(
    street: str, number: str, apartment: str | None, place: tuple[str, str]
) -> None:
    address = f"MD-2001, {place[0]}, {street}, {number}" + (f", ap. {apartment}" if apartment else "")
    found = parts(address)

    assert (found["city"], found["street"], found["street_number"]) == (place[1], street, number)
    assert found.get("apartment") == apartment


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("SEC.CENTRU (130000)", "130000", "SEC.CENTRU"),
        ("130000", "130000", None),
        ("130000 SEC.CENTRU", "130000", "SEC.CENTRU"),
        ("130000 – SEC.CENTRU", "130000", "SEC.CENTRU"),
        ("SEC.CENTRU", None, "SEC.CENTRU"),
    ],
)
def test_a_cuatm_unit_is_parsed_into_name_and_code(text: str, code: str | None, name: str | None) -> None:
    place = read_cuatm(text).value

    assert place is not None
    assert (place.code, place.name) == (code, name)


@pytest.mark.parametrize(
    "text", ["Conectați-vă", "0", "Nu este indicat", "12 34 5678 (130000)", "Bloc 4", "x" * 200]
)
def test_a_text_that_is_not_a_cuatm_unit_is_none(text: str) -> None:
    assert read_cuatm(text).value is None
