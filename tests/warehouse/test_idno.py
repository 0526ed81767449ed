"""IDNOs are validated, and errors name the problem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from warehouse.idno import Idno, InvalidIdno, parse_idno


@pytest.mark.parametrize("idno", ["1003600069773", "1014600000912", "1002600009035", "1003600005148"])
def test_valid_idno_is_returned_without_surrounding_spaces(idno: str) -> None:
    assert parse_idno(f" {idno}\n") == idno


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456789123",
        "10036000697730",
        "1003600069774",
        "1003 600069773",
        "１００３６００069773",
        "١٠٠٣٦٠٠٠٦٩٧٧٣",
        "../x",
        "X003600069773",
    ],
)
def test_invalid_idno_is_refused_and_named_in_the_message(text: str) -> None:
    with pytest.raises(InvalidIdno, match=r"an IDNO has 13|fails the check digit") as refusal:
        parse_idno(text)
    assert repr(text) in str(refusal.value)


@given(st.text())
def test_accepted_idno_has_thirteen_ascii_digits(text: str) -> None:
    try:
        idno = parse_idno(text)
    except InvalidIdno:
        return
    assert idno.isascii()
    assert idno.isdigit()
    assert len(idno) == 13


def test_message_of_a_wrong_check_digit_names_the_right_one() -> None:
    with pytest.raises(InvalidIdno, match="its last digit is 4, expected 3"):
        parse_idno("1003600069774")


def test_message_shows_forty_characters_and_marks_a_longer_text_as_shortened() -> None:
    for text, shown in {
        "1" * 40: "1" * 40,
        "1" * 41: "1" * 40 + "…",
        "1" * 1_000_000: "1" * 40 + "…",
    }.items():
        with pytest.raises(InvalidIdno) as refusal:
            parse_idno(text)
        assert str(refusal.value).startswith(f"'{shown}' has {len(text)} digits")


def test_field_of_type_idno_is_validated_like_any_other() -> None:
    field = TypeAdapter(Idno)
    assert field.validate_python(" 1003600069773 ") == "1003600069773"
    with pytest.raises(ValidationError, match="fails the check digit"):
        field.validate_python("1003600069774")
