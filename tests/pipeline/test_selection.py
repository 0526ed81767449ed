"""Tests of the config that selects companies: what it accepts, and the errors for what it refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.defs.selection import MAX_COMPANIES, SELECTABLE_YEARS, CompanySelection, TransformSelection
from standin.site_facts import make_idno

IDNO = make_idno(1)


@pytest.mark.parametrize(
    "config",
    [
        {"idnos": [IDNO]},
        {"select": "failed"},
        {"select": "due", "cohort": 2003, "limit": 1},
        {"select": "due", "cohort": "2003", "limit": 10_000},
        {"select": "all", "since": "2026-09-01T00:00:00Z"},
        {"idnos": [IDNO], "since": "2026-09-01T03:00:00+03:00"},
    ],
)
def test_config_names_or_selects_companies(config: dict[str, Any]) -> None:
    selection = CompanySelection(**config)
    assert CompanySelection(**selection.as_config()) == selection


def test_cohort_can_be_an_integer_or_a_string() -> None:
    assert CompanySelection(select="all", cohort="2003").cohort == 2003
    assert CompanySelection(select="all", cohort=2003).cohort == 2003


def test_duplicate_idnos_count_once() -> None:
    assert CompanySelection(idnos=[IDNO, f" {IDNO} "] * MAX_COMPANIES).idnos == [IDNO]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "idnos: 0 given, 1 to 1000 are allowed; or give select: failed, due or all"),
        ({"idnos": []}, "idnos: 0 given"),
        (
            {"idnos": [make_idno(number) for number in range(1001)]},
            "idnos: 1001 given, 1 to 1000 are allowed",
        ),
        (
            {"idnos": [IDNO], "select": "due"},
            "select: 'due' given with 1 idnos; only one of the two is allowed",
        ),
        ({"select": "stale"}, "select: 'stale' given, failed, due or all are allowed"),
        ({"select": "all", "cohort": "1003"}, "cohort: '1003' given, a year from 2000 to 2099 is allowed"),
        ({"select": "all", "cohort": True}, "cohort: True given"),
        ({"select": "all", "cohort": "２００３"}, "cohort: '２００３' given"),
        ({"idnos": [IDNO], "cohort": 2003}, "cohort: 2003 given with idnos; it is only allowed with select"),
        ({"select": "all", "limit": 0}, "limit"),
        ({"select": "all", "limit": 10_001}, "less than or equal to 10000"),
        (
            {"select": "all", "since": "yesterday"},
            "since: 'yesterday' given, a time such as 2026-09-01T00:00:00Z",
        ),
        ({"select": "all", "since": "2026-09-01T00:00:00"}, "given without a time zone"),
        ({"idnos": ["1003600069774"]}, "its last digit is 4"),
    ],
)
def test_refusal_names_the_value_and_what_is_allowed(config: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CompanySelection(**config)
    assert expected in str(refused.value)


@given(st.integers() | st.text(max_size=12))
def test_cohort_is_a_year_or_refused(cohort: int | str) -> None:
    try:
        year = CompanySelection(select="all", cohort=cohort).cohort
    except ValidationError as refused:
        assert "cohort" in str(refused)
    else:
        assert year in SELECTABLE_YEARS


def test_transformation_needs_no_idnos() -> None:
    assert TransformSelection().idnos == []
    with pytest.raises(ValidationError, match="an IDNO has 13 digits"):
        TransformSelection(idnos=["x"])
