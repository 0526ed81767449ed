"""Tests of the amount parser: it returns the written amount or nothing, never another amount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.amounts import grouping_in
from pipeline.transform.source_text import parse_amount

_SPACES = (" ", "\u00a0", "\u202f", "\u2009")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        *(
            ("11 437 966", "11437966"),
            ("11\u00a0437\u00a0966", "11437966"),
            ("11\u202f437\u202f966", "11437966"),
        ),
        *(
            ("1 234,56", "1234.56"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1,234,567", "1234567"),
        ),
        *(("(87)", "-87"), ("-87", "-87"), ("−87", "-87"), ("(1 000) lei", "-1000"), ("(87 MDL)", "-87")),
        *(
            ("5 400 MDL", "5400"),
            ("MDL 5 400", "5400"),
            ("5 400 lei", "5400"),
            ("5 400 L", "5400"),
            ("0", "0"),
        ),
        *(("5 400 леев", "5400"), ("5400.5", "5400.5"), ("1.234.567 lei", "1234567"), (" 12 ", "12")),
    ],
)
def test_an_amount_is_parsed_in_every_format_of_the_source(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1,234", "1.234", "12,345 MDL", "(123.456)", "999.999 lei"])
def test_an_ambiguous_amount_is_none(text: str) -> None:
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "—",
            "NULL",
            "undefined",
            "lipsă",
            "нет",
            "n/a",
            "MDL",
            "lei",
            "-",
            "()",
            "(-5)",
            "- 87",
            "–87",
        ),
        *(
            "12,34,567",
            "1 23 456",
            "12 345 67",
            "1234 567",
            "1 234 mii lei",
            "5 EUR",
            "$5",
            "5%",
            "5 400 MDL 6",
        ),
        *("10-20", "0 123", "1,234.567", "1.234.56", "12.03.2004", "٤٢", "1e5", "1" * 50),
    ],
)
def test_a_text_that_is_not_an_amount_of_lei_is_none(text: str) -> None:
    assert parse_amount(text) is None


@given(
    value=st.decimals(min_value=-(10**12), max_value=10**12, places=2) | st.integers(-(10**12), 10**12),
    group=st.sampled_from((*_SPACES, ",", ".", "")),
    point=st.sampled_from((",", ".")),
    negative=st.sampled_from(("-{}", "−{}", "({})", "- {}", "–{}", "{}-")),
    unit=st.sampled_from(("{}", "{} MDL", "{} lei", "MDL {}", "{}\u00a0L", "{} mii lei", "{} EUR")),
)
def test_an_amount_is_parsed_correctly_or_not_at_all(
    value: Decimal | int, group: str, point: str, negative: str, unit: str
) -> None:
    whole, _, fraction = str(abs(value)).partition(".")
    grouped = f"{int(whole):,}".replace(",", group)
    text = f"{grouped}{point}{fraction}" if fraction else grouped
    if group == point and fraction:
        return  # not a format that is used
    text = unit.format(negative.format(text) if value < 0 else text)

    assert parse_amount(text) in (value, None)


@given(value=st.integers(1_000, 10**12), group=st.sampled_from(_SPACES))
def test_an_amount_grouped_by_spaces_is_always_parsed(value: int, group: str) -> None:
    assert parse_amount(f"{value:,}".replace(",", group) + " MDL") == value


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    amount = parse_amount(text)
    assert amount is None or amount.is_finite()


def test_neighbouring_amounts_show_which_mark_groups_thousands() -> None:
    neighbours = ["11,437,966 MDL", "852,143 MDL", "0 MDL"]

    assert grouping_in(neighbours) == ","
    assert parse_amount("852,143 MDL", grouping=",") == 852143
    assert parse_amount("852.143 MDL", grouping=",") is None


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["852,143", "12"], ""),
        (["1,234,567", "1.234.567"], ""),
        (["1.234,50", "852.143"], "."),
        (["1 234,50"], "."),
        ([], ""),
    ],
)
def test_grouping_is_known_only_if_the_amounts_show_one_mark(texts: list[str], mark: str) -> None:
    assert grouping_in(texts) == mark
