"""What the readers report besides facts: unknown keys of every part, labels that differ, values as written."""

import json
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.json.payloads import read_company
from pipeline.transform.json.statements import read_statements
from pipeline.transform.json.values import as_written, parse_json
from pipeline.transform.party_grammar import read_parties_in
from pipeline.transform.reading import abbreviate
from tests.pipeline.transform.html_pages import IDNO


def unknown_keys(**fields: Any) -> tuple[str, ...]:
    reading = read_company([{"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}], IDNO)
    assert reading is not None
    return reading.unknown


def test_unknown_keys_of_every_part_of_a_payload_are_reported_together() -> None:
    assert unknown_keys(
        founded="2020",
        address={"fullName": "str. Pilda, 1", "block": "2"},
        cuatm={"name": "Centru", "level": 3},
        personFounders=[
            {"fullName": "MODELEANU ION", "age": 40},
            {"fullName": "PILDA ANA", "city": "Soroca"},
        ],
        personAdministrators=[{"fullName": "PROBARU VASILE", "since": "2020"}],
        licensedActivities=[{"name": "Comerț", "level": 1}, {"name": "Transport", "until": "2030"}],
    ) == (
        "companies.address.block",
        "companies.cuatm.level",
        "companies.personFounders.age",
        "companies.personFounders.city",
        "companies.personAdministrators.since",
        "companies.licensedActivities.level",
        "companies.licensedActivities.until",
        "companies.founded",
    )


def test_row_with_two_different_labels_is_left_out_with_a_note() -> None:
    entry = {"idno": IDNO, "year": 2024, "CODE_5_430_Total_active": 5, "CODE_5_430_Total_datorii": 5}

    filed = read_statements([[entry]], IDNO)

    assert [statement.lines for statement in filed.statements] == [()]
    [note] = filed.notes
    assert note.startswith("statements: 2024 5/430: ['Total active', 'Total datorii']: ")


@pytest.mark.parametrize("written", ['{"name": "Bălți", "share": 33.30}', '["Ștefan"]'])
def test_raw_text_of_a_value_keeps_its_letters(written: str) -> None:
    raw = as_written(parse_json(written.encode()))
    assert json.loads(raw) == json.loads(written)
    assert ("Bălți" in raw) or ("Ștefan" in raw)


def test_note_quotes_a_decimal_as_a_number_and_shortens_long_values() -> None:
    assert abbreviate(Decimal("5.50")) == "'5.50'"
    assert abbreviate("x" * 78) == f"'{'x' * 78}'"
    assert abbreviate("x" * 79) == f"'{'x' * 79}…"


def test_role_in_parentheses_is_read_without_them() -> None:
    [listed] = read_parties_in(["PROBARU VASILE", "(director)"]).parties
    assert listed.party.role == "director"
