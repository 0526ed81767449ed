"""Tests of dates, shares, folding and placeholders for "no value"."""

from datetime import date

import pytest

from pipeline.transform.source_text import (
    collapse,
    comparison_key,
    fold,
    parse_date,
    text_or_none,
)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2003-07-09",
            "2003-07-09T00:00:00.000Z",
            "09.07.2003",
            "9.7.2003",
            "09/07/2003",
            "09-07-2003",
            "2003.07.09",
        ),
        *(
            "9 iulie 2003",
            "9 IULIE 2003",
            "9 iul. 2003",
            "9 июля 2003 г.",
            "9 июл. 2003\u00a0г.",
            "July 9, 2003",
            "Jul 9, 2003",
        ),
        *(
            "9 July 2003",
            "9th of July 2003",
            "09.07.2003 (22 ani)",
            "miercuri, 9 iulie 2003",
            "09.07.2003 г.",
            "9-Jul-2003",
        ),
    ],
)
def test_a_date_is_parsed_in_every_format(text: str) -> None:
    assert parse_date(text) == date(2003, 7, 9)


@pytest.mark.parametrize(
    "text",
    ["", "—", "NULL", "31.02.2003", "07.2003", "09.07.03", "13 brumar 2003", "str. 31 August 1989", "2003"],
)
def test_a_text_that_is_not_a_date_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_an_ambiguous_english_date_is_none() -> None:
    assert parse_date("03/04/2020", day_first=False) is None
    assert (
        parse_date("13/04/2020", day_first=False)
        == parse_date("04/13/2020", day_first=False)
        == date(2020, 4, 13)
    )


def test_both_romanian_spellings_fold_to_the_same() -> None:
    assert fold("Ştiinţă  ÎN\u00a0ȚARĂ") == fold("ștIință în ţară") == "stiinta in tara"


def test_folding_keeps_cyrillic_letters_but_not_the_diaeresis() -> None:
    assert fold("Учёт Й") == "учет й"


def test_folding_removes_direction_marks() -> None:
    assert fold("\u202bAdresa\u202c\u200f") == "adresa"


def test_a_comparison_key_contains_only_letters_and_digits() -> None:
    assert comparison_key("S.R.L. «Ştiinţa-2»") == "srlstiinta2"


def test_collapse_normalizes_white_space_like_a_browser() -> None:
    assert collapse("  a\n\u00a0b\x00 c ") == "a b c"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "null",
            "NULL",
            "undefined",
            "N/A",
            "—",
            "-",
            "...",
            "Nu există date",
            "Nu sunt date",
            "Lipsesc date",
        ),
        *(
            "Fără date",
            "Nu este indicată",
            "Date indisponibile",
            "нет данных",
            "Данные отсутствуют",
            "Не указан",
            "No data",
        ),
        *(
            "Не указаны",
            "No records",
            "Not available",
            "not specified.",
            "Nu există fondatori",
            "Se încarcă…",
        ),
    ],
)
def test_placeholders_for_no_value_are_none(text: str) -> None:
    assert text_or_none(text) is None


@pytest.mark.parametrize(
    "text", ["NULLARBOR SRL", "NET", "LIPSA GRUP", "O-LAINE", "Нетто", "Data Plus", "NO NAME SRL"]
)
def test_a_name_that_contains_a_placeholder_word_is_kept(text: str) -> None:
    assert text_or_none(text) == text
