"""Tests of the site's list: strict parsing of pages, and the walk with the page size that the server allows."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.register.list_api import NotAListPage, read_page, walk_list
from pipeline.register.listing import ListedCompany, SweepPage
from standin import Site, expected_record, running_site
from standin.made_up_companies import companies_page
from standin.site_facts import make_idno
from standin.switches import ListBehavior

IDNO = make_idno(1)
COMPANIES = 3500


@pytest.fixture(autouse=True)
def _a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", COMPANIES)


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    running.list, running.largest_page = ListBehavior.WELL, 1000
    return running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def _row(**fields: Any) -> dict[str, Any]:
    return {
        "fullName": "FIRMA",
        "idno": IDNO,
        "type": "SRL",
        "isActive": True,
        "registeredAt": "2003-07-09",
    } | fields


def _page(*rows: Any, total: Any = 1) -> bytes:
    return json.dumps({"data": list(rows), "totalItemCount": total}).encode()


def _walk(site: Site, http: httpx.Client, *, page: int = 0, size: int = 1000) -> list[SweepPage]:
    return list(walk_list(http, f"{site.api_url}/api/companies", page=page, size=size))


def _idnos(pages: list[SweepPage]) -> list[str]:
    return [company.idno for page in pages for company in page.parsed.companies]


def test_a_row_is_parsed_into_a_listed_company() -> None:
    assert read_page(_page(_row())).companies == [
        ListedCompany(IDNO, name="FIRMA", legal_form="SRL", is_active=True, registered_on=date(2003, 7, 9))
    ]


def test_the_rows_of_the_stand_in_site_are_parsed_correctly() -> None:
    parsed = read_page(json.dumps(companies_page(page=0, size=300)).encode())
    assert len(parsed.companies) == 300
    for company in parsed.companies:
        truth = expected_record(company.idno)
        assert (company.name, company.legal_form) == (truth["name"], truth["legal_form"])
        assert {True: "active", False: "inactive", None: None}[company.is_active] == truth["status"]
        assert (company.registered_on.isoformat() if company.registered_on else None) == truth[
            "registered_on"
        ]
    assert (parsed.total, parsed.rejected, parsed.unreadable, parsed.unknown_fields) == (
        COMPANIES,
        [],
        [],
        set(),
    )


@pytest.mark.parametrize("absent", [None, "", "NULL", "undefined", "  "])
def test_every_placeholder_for_no_value_is_none(absent: str | None) -> None:
    row = _row(fullName=absent, type=absent, isActive=absent, registeredAt=absent)
    assert read_page(_page(row)).companies == [ListedCompany(IDNO, None, None, None, None)]


@pytest.mark.parametrize("idno", ["1003600069774", "123", None, "", "NULL", ["1"], {"a": 1}, True, "../../x"])
def test_a_row_with_an_invalid_idno_is_rejected_with_a_reason(idno: object) -> None:
    parsed = read_page(_page(_row(), _row(idno=idno)))
    assert [company.idno for company in parsed.companies] == [IDNO]
    [problem] = parsed.rejected
    assert problem.row == 2
    assert problem.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [("fullName", ["A"]), ("type", {}), ("isActive", "yes"), ("isActive", 1), ("registeredAt", "2003-02-31")],
)
def test_a_value_of_a_wrong_type_is_reported_and_left_out(field: str, value: object) -> None:
    parsed = read_page(_page(_row(**{field: value})))
    assert len(parsed.companies) == 1
    assert [problem.row for problem in parsed.unreadable] == [1]


def test_characters_that_postgresql_cannot_store_are_removed() -> None:
    [company] = read_page(_page(_row(fullName="A\x00B \ud800C"))).companies
    assert company.name == "AB ?C"


@pytest.mark.parametrize("code", ["213976", "3300258", "10035000", 213976])
def test_a_page_of_fiscal_codes_is_a_page_without_companies(code: object) -> None:
    parsed = read_page(_page(_row(idno=code), _row(idno=code), total=2))
    assert (parsed.companies, parsed.total, parsed.row_count) == ([], 2, 2)
    assert [(problem.row, problem.value) for problem in parsed.rejected] == [(1, str(code)), (2, str(code))]
    digits = len(str(code))
    assert {problem.reason for problem in parsed.rejected} == {
        f"'{code}' is a fiscal code of {digits} digits, older than the IDNO"
    }


def test_rows_without_a_key_and_rows_that_are_not_objects_are_rejected_with_their_number() -> None:
    without_key = {"fullName": "FĂRĂ COD SRL", "amount": 1}
    parsed = read_page(_page(without_key, _row(), None, "x", [], {}, _row(idno=None), total=7))
    assert [company.idno for company in parsed.companies] == [IDNO]
    assert [(problem.row, problem.value, problem.reason) for problem in parsed.rejected] == [
        (1, "FĂRĂ COD SRL", "the row has no field idno"),
        (3, "None", "the row is not an object"),
        (4, "x", "the row is not an object"),
        (5, "[]", "the row is not an object"),
        (6, "None", "the row has no field idno"),
        (7, "None", "the row has no IDNO"),
    ]


def test_a_repeated_company_of_a_page_is_counted_once_and_named() -> None:
    parsed = read_page(_page(_row(), _row(fullName="ALTUL"), _row(idno=make_idno(2)), total=3))
    assert [company.name for company in parsed.companies] == ["FIRMA", "FIRMA"]
    [repeated] = parsed.repeated
    assert (repeated.row, repeated.value) == (2, IDNO)
    assert "a row above has the IDNO" in repeated.reason
    assert parsed.row_count == 3


@pytest.mark.parametrize("amount", ["1008600000123", None, {}, 1e300])
def test_the_amount_of_a_row_is_ignored(amount: object) -> None:
    parsed = read_page(_page(_row(amount=amount)))
    assert parsed.companies == read_page(_page(_row())).companies
    assert (parsed.unreadable, parsed.unknown_fields) == ([], set())


@pytest.mark.parametrize("date_text", ["1111-08-20", "2999-01-01", "0", "12", "2003"])
def test_an_implausible_date_of_registration_is_reported_and_left_out(date_text: str) -> None:
    parsed = read_page(_page(_row(registeredAt=date_text)))
    assert parsed.companies[0].registered_on is None
    assert [problem.value for problem in parsed.unreadable] == [date_text]


def test_unknown_fields_are_reported() -> None:
    assert read_page(_page(_row(phone="022", email=None))).unknown_fields == {"phone", "email"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"data": []}).encode(),
        _page(total="1"),
        _page(total=None),
        json.dumps({"data": {}, "totalItemCount": 1}).encode(),
        _page("a company"),
        _page({"id": IDNO, "name": "FIRMA"}),
        _page({"id": IDNO, "name": "FIRMA"}, None),
    ],
)
def test_a_body_that_is_not_a_page_of_the_list_is_an_error(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_page(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(name=_JSON, legal_form=_JSON, is_active=_JSON, registered_at=_JSON, idno=_JSON)
def test_any_row_is_accepted_or_rejected_without_an_exception(
    name: object, legal_form: object, is_active: object, registered_at: object, idno: object
) -> None:
    values = {"fullName": name, "type": legal_form, "isActive": is_active, "registeredAt": registered_at}
    parsed = read_page(_page(_row(**values), _row(idno=idno)))
    assert parsed.companies[0].idno == IDNO
    assert parsed.row_count == 2
    for company in parsed.companies:
        assert "\x00" not in (company.name or "")
        (company.name or "").encode("utf-8")


def test_a_walk_visits_every_company_once(site: Site, http: httpx.Client) -> None:
    pages = _walk(site, http, size=350)
    assert sorted(_idnos(pages)) == sorted(make_idno(number) for number in range(COMPANIES))
    assert [page.number for page in pages] == list(range(10))
    assert [page.is_last for page in pages] == [False] * 9 + [True]


def test_a_walk_can_start_at_a_later_page(site: Site, http: httpx.Client) -> None:
    assert _idnos(_walk(site, http, page=2)) == [make_idno(number) for number in range(2000, COMPANIES)]


def test_a_walk_past_the_end_yields_one_empty_page(site: Site, http: httpx.Client) -> None:
    [page] = _walk(site, http, page=50)
    assert (page.parsed.row_count, page.is_last) == (0, True)


@pytest.mark.parametrize("page", [0, 3])
def test_a_rejected_page_size_is_reduced_without_missing_companies(
    site: Site, http: httpx.Client, page: int
) -> None:
    site.largest_page = 300
    pages = _walk(site, http, page=page)
    assert pages[0].size == 250
    assert set(_idnos(pages)) == {make_idno(number) for number in range(page * 1000, COMPANIES)}
    assert [page.number for page in pages] == sorted({page.number for page in pages})


@pytest.mark.parametrize("cap", [1, 70, 999])
def test_silently_shortened_pages_do_not_miss_companies(
    site: Site, http: httpx.Client, cap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", 2000 if cap > 1 else 30)
    site.list, site.largest_page = ListBehavior.CAPPED, cap
    pages = _walk(site, http)
    assert pages[0].size == cap
    assert _idnos(pages) == [make_idno(number) for number in range(2000 if cap > 1 else 30)]


@pytest.mark.parametrize("behavior", [ListBehavior.OTHER_SHAPE, ListBehavior.HTML])
def test_a_response_that_is_not_the_list_is_attached_to_the_error(
    site: Site, http: httpx.Client, behavior: ListBehavior
) -> None:
    site.list = behavior
    with pytest.raises(
        NotAListPage, match=r"/api/companies\?page=0&size=1000: not a page of the list"
    ) as error_info:
        _walk(site, http)
    assert error_info.value.received.content


def test_a_response_with_an_error_status_is_an_error(site: Site, http: httpx.Client) -> None:
    with pytest.raises(NotAListPage, match="answered with status 404"):
        list(walk_list(http, f"{site.api_url}/api/firms", page=0, size=10))
