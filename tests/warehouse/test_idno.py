"""What an IDNO is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.idno import InvalidIdno, parse_idno


@pytest.mark.parametrize("idno", ["1003600069773", "1014600000912", "1002600009035", "1003600005148"])
def test_a_right_idno_comes_back_without_the_spaces_around_it(idno: str) -> None:
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
def test_anything_else_is_refused_with_itself_in_the_reason(text: str) -> None:
    with pytest.raises(InvalidIdno, match="is no IDNO") as refusal:
        parse_idno(text)
    assert repr(text) in str(refusal.value)


@given(st.text())
def test_whatever_is_accepted_is_thirteen_ascii_digits(text: str) -> None:
    try:
        idno = parse_idno(text)
    except InvalidIdno:
        return
    assert idno.isascii()
    assert idno.isdigit()
    assert len(idno) == 13


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidIdno) as refusal:
        parse_idno("1" * 1_000_000)
    assert len(str(refusal.value)) < 200
