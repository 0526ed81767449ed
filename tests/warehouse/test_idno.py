"""IDNOs are validated, and errors name the problem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.idno import InvalidIdno, parse_idno


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


def test_message_shortens_a_long_text() -> None:
    with pytest.raises(InvalidIdno) as refusal:
        parse_idno("1" * 1_000_000)
    assert len(str(refusal.value)) < 200
