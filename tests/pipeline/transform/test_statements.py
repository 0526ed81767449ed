"""Tests of the reading of financial statements from JSON."""

import json
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.json.payloads import read_filed_statements
from pipeline.transform.json.statements import read_statements
from pipeline.transform.json.values import parse_json
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO, OTHER_IDNO
from warehouse.records.models import Statement, StatementLine


def read(*entries: dict[str, Any]) -> Reading:
    """Read a list of entries, which are for 2024 unless they name another year."""
    filed = [{"idno": IDNO, "year": 2024, **entry} for entry in entries]
    return read_filed_statements([parse_json(json.dumps(filed).encode())], IDNO)


def lines(**codes: Any) -> tuple[StatementLine, ...]:
    (statement,) = read(codes).statements
    return statement.lines


def test_the_lines_of_a_statement_are_in_the_order_of_forms_and_rows() -> None:
    (statement,) = read(
        {
            "doctype": "rsf1",
            "cuiio": "40067824",
            "CODE_6_010": 11081954,
            "CODE_5_430_TOTAL_ACTIVE_rd_230_rd_420_": 6099033,
            "CODE_6_010_Venituri_din_vinzari_total": 11081954,
            "CODE_5_430": 6099033,
            "CODE_8_080": -1113553,
        }
    ).statements

    assert (statement.year, statement.currency) == (2024, "MDL")
    assert (statement.document_type, statement.cuiio) == ("rsf1", "40067824")
    assert statement.lines == (
        StatementLine(5, "430", Decimal(6099033), "TOTAL ACTIVE"),
        StatementLine(6, "010", Decimal(11081954), "Venituri din vinzari total"),
        StatementLine(8, "080", Decimal(-1113553), None),
    )
    assert statement.figures() == {"total_assets": Decimal(6099033), "revenue": Decimal(11081954)}


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (87, "87"),
        (-87, "-87"),
        (87.5, "87.5"),
        ("11 437 966", "11437966"),
        ("11\u00a0437\u00a0966", "11437966"),
        ("1 234,56", "1234.56"),
        ("(87)", "-87"),
        ("0", "0"),
    ],
)
def test_an_amount_is_read_in_every_format(written: Any, amount: str) -> None:
    assert [line.value for line in lines(CODE_6_010=written)] == [Decimal(amount)]


@pytest.mark.parametrize("written", [None, "", "NULL", "undefined"])
def test_an_absent_amount_creates_neither_line_nor_note(written: Any) -> None:
    reading = read({"CODE_6_010": written, "CODE_6_020": 1})

    assert [line.row for line in reading.statements[0].lines] == ["020"]
    assert reading.notes == ()


@pytest.mark.parametrize("written", ["1,234", "1.234", "multe", True, [], {"a": 1}, 10**30, float("inf")])
def test_an_uncertain_amount_creates_a_note_but_no_line(written: Any) -> None:
    reading = read({"CODE_6_010": written})

    assert reading.statements[0].lines == ()
    assert len(reading.notes) == (0 if written == [] else 1)


def test_amounts_keep_all_digits() -> None:
    body = f'[{{"idno": "{IDNO}", "year": 2024, "CODE_6_010": 1234567890123.10}}]'

    assert read_filed_statements([parse_json(body.encode())], IDNO).statements[0].lines[0].value == Decimal(
        "1234567890123.10"
    )


def test_a_row_with_contradicting_keys_is_left_out() -> None:
    reading = read({"CODE_6_010": 1, "CODE_6_010_Venituri_din_vinzari_total": 2, "CODE_6_020": 3})

    assert [line.row for line in reading.statements[0].lines] == ["020"]
    assert "6/010" in reading.notes[0]


def test_if_one_key_of_a_row_is_absent_the_other_is_used() -> None:
    assert [line.value for line in lines(CODE_6_010="NULL", CODE_6_010_Venituri=5)] == [Decimal(5)]


def test_a_row_with_another_label_is_not_a_key_figure() -> None:
    (statement,) = read(
        {
            "doctype": "rsf1",
            "CODE_5_430": 7,
            "CODE_5_430_TOTAL_ACTIVE_CIRCULANTE": 7,
            "CODE_5_620_Total_capital_propriu_rd_490": 8,
            "CODE_6_010": 9,
        }
    ).statements

    assert statement.figures() == {"equity": Decimal(8), "revenue": Decimal(9)}
    assert len(statement.lines) == 3


def test_statements_are_ordered_newest_first() -> None:
    years = [statement.year for statement in read({"year": 2022}, {"year": 2024}, {"year": 2023}).statements]

    assert years == [2024, 2023, 2022]


@pytest.mark.parametrize("year", [None, "24", "20 24", 1989, 2101, 2024.5, True, "NULL"])
def test_a_statement_without_a_valid_year_is_left_out_and_noted(year: Any) -> None:
    reading = read({"year": year, "CODE_6_010": 1}, {"CODE_6_010": 2})

    assert [statement.year for statement in reading.statements] == [2024]
    assert "no year" in reading.notes[0]


def test_different_statements_of_one_year_are_all_left_out() -> None:
    reading = read({"CODE_6_010": 1}, {"CODE_6_010": 2}, {"year": 2023})

    assert [statement.year for statement in reading.statements] == [2023]
    assert reading.notes == ("statements: 2 different ones of 2024",)


def test_a_duplicate_statement_is_read_once() -> None:
    assert len(read({"CODE_6_010": 1}, {"CODE_6_010": 1}).statements) == 1


def test_the_statement_of_another_company_is_skipped() -> None:
    reading = read({"idno": OTHER_IDNO, "CODE_6_010": 1}, {"year": 2023})

    assert [statement.year for statement in reading.statements] == [2023]


@pytest.mark.parametrize(
    ("bodies", "is_stated"),
    [
        ([b"[]"], True),
        ([b"[]", b"{}"], True),
        ([], False),
        ([b"{}"], False),
        ([b"[]", b"[]"], False),
        ([b'[{"idno": "1", "year": 2024}]'], False),
        ([b"[1, 2]"], False),
        ([b"no json"], False),
        ([f'[{{"idno": "{IDNO}", "year": 2024}}]'.encode()], True),
    ],
)
def test_statements_are_stated_only_by_their_list_even_if_empty(bodies: list[bytes], is_stated: bool) -> None:
    assert (
        "statements" in read_filed_statements([parse_json(body) for body in bodies], IDNO).stated
    ) is is_stated


def test_an_unknown_form_or_key_is_reported() -> None:
    reading = read({"CODE_9_010": 1, "CODE_5_43": 1, "auditor": "X", "organizationName": "undefined"})

    assert set(reading.unknown) == {"fin-data.CODE_9_010", "fin-data.CODE_5_43", "fin-data.auditor"}
    assert reading.statements == (Statement(year=2024),)


def test_a_row_without_a_label_counts_only_in_a_known_document_type() -> None:
    reading = read({"doctype": "rsf2", "CODE_6_010": 9})

    assert reading.statements[0].figures() == {}
    assert reading.statements[0].lines == (StatementLine(6, "010", Decimal(9), None),)
    assert [(item.field, item.text) for item in reading.unread] == [("statements", "2024 6/010: 9")]


@pytest.mark.parametrize("document_type", ["rsf1", "rsf2", "NULL"])
def test_a_key_figure_is_found_by_its_label_in_any_row(document_type: str) -> None:
    (statement,) = read(
        {
            "doctype": document_type,
            "CODE_5_190": 70,
            "CODE_5_190_TOTAL_ACTIVE_rd_080_rd_180_": 70,
            "CODE_5_260_TOTAL_CAPITAL_PROPRIU": 50,
            "CODE_7_190_Total_capital_propriu_rd_060": 40,
        }
    ).statements

    assert statement.figures() == {"total_assets": Decimal(70), "equity": Decimal(50)}


def test_two_rows_with_the_label_of_one_figure_and_different_amounts_yield_none() -> None:
    (statement,) = read({"CODE_5_190_TOTAL_ACTIVE": 70, "CODE_5_430_Total_active": 80}).statements

    assert statement.figures() == {}


def test_amounts_and_years_may_be_texts() -> None:
    for text, amount in (("733 120", 733120), ("733120.00", 733120), ("(5 000)", -5000), ("-5000", -5000)):
        entry = {"year": "2022", "idno": "1020999000019", "doctype": "rsf1", "CODE_5_430_TOTAL_ACTIVE": text}
        filed = read_statements([[entry]], "1020999000019")
        (statement,) = filed.statements
        assert (statement.year, statement.lines[0].value) == (2022, Decimal(amount))


def test_a_text_that_is_no_amount_is_unread() -> None:
    for text in ("1,234", "zece", "1e5"):
        entry = {"year": 2022, "idno": "1020999000019", "doctype": "rsf1", "CODE_5_430": text}
        filed = read_statements([[entry]], "1020999000019")
        assert filed.statements[0].lines == ()
        assert [(item.field, item.text.strip("'")) for item in filed.unread] == [("statements", text)]
