"""Endpoints for companies: search by name, provenance, statements, refused requests, roles; and the quarantine."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from api.auth.roles import Role
from api.companies.repository import prefix_query, select_by_name
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from tests.api.record_factory import add_visit, quarantine_capture, store_record
from warehouse.records.models import (
    CompanyFacts,
    CompanyStatus,
    Party,
    PartyKind,
    Statement,
    StatementLine,
)

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
IDNOS = map(make_idno, count(8400))


def company(name: str = "Made up", **facts: Any) -> CompanyFacts:
    return CompanyFacts(idno=next(IDNOS), name=name, **facts)


@pytest.fixture
async def http(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a user with the role readonly."""
    async with harness.signed_in(Role.READONLY) as client:
        yield client


def store(harness: ApiHarness, *companies: CompanyFacts) -> None:
    with harness.databases.warehouse() as connection:
        for facts in companies:
            store_record(connection, facts, at=NOW)


async def find_names(http: httpx.AsyncClient, name: str, **params: int) -> list[str]:
    answer = await http.get("/companies/", params={"name": name, **params})
    assert answer.status_code == httpx.codes.OK, answer.text
    return [company["name"] for company in answer.json()]


async def test_company_is_found_by_prefixes_of_its_words_in_any_order(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    store(
        harness,
        company("LENTILE GRUP"),
        company("GRUP DE LENTILE"),
        company("LENTILE"),
        company("AGRUP LENTIL"),
    )

    assert await find_names(http, "lentile grup") == ["LENTILE GRUP", "GRUP DE LENTILE"]
    assert await find_names(http, "gru len") == ["GRUP DE LENTILE", "LENTILE GRUP"]
    assert await find_names(http, "entile") == []
    assert await find_names(http, "agru") == ["AGRUP LENTIL"]


async def test_search_ignores_case_diacritics_and_romanian_spelling(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    store(harness, company("Ştiință şi Țară"))
    for wording in ("știință și țară", "ŞTIINŢĂ ŞI ŢARĂ", "stiinta si tara", "  Știință\u00a0ŞI tar "):
        assert await find_names(http, wording) == ["Ştiință şi Țară"]


@pytest.mark.parametrize(
    ("name", "wording"),
    [("Łukasz", "lukasz"), ("KØBEN", "koben"), ("YILDIZ", "yıldız"), ("Yıldız", "YILDIZ")],
)
async def test_search_finds_letters_with_strokes_by_basic_letters(
    harness: ApiHarness, http: httpx.AsyncClient, name: str, wording: str
) -> None:
    store(harness, company(f"{name} IMPEX"))
    assert await find_names(http, wording) == [f"{name} IMPEX"]


PUNCTUATED = [
    ("„VION-IMPEX”", "vion impex"), ("„VION-IMPEX”", "vion-imp"), ("PLAI IMPEX", "plai-impex"),
    ("Nord S.R.L.", "nord s.r.l."), ("Orhei.md", "orhei.md"), ("Orhei.md", "orhei"), ("AGRO-2000", "agro-2000"),
    ("AGRO-2000", "agro 2000"), ("O'Neil & Co", "o'neil & co"), ("«Рога и копыта»", "РОГА КОПЫТА"),
    ("A_B C", "a_b"), ("D/E", "d/e"), ("Șase 6", "6 sase"),
]  # fmt: skip


async def test_company_is_found_despite_punctuation_in_its_name(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    store(harness, *(company(name) for name in {name for name, _ in PUNCTUATED}))
    for name, wording in PUNCTUATED:
        assert await find_names(http, wording) == [name]


HOSTILE = [
    "ab' | 'c", "ab:* | c", "!ab", "(ab", "ab\\", "ab'':*", "ab & ", "ab <-> c", "'; DROP TABLE x; --", "ab\x00",
    "%__ab", "$$ab", "ab" * 50, "ﷺ" * 100, "12-34 56.78/90", "\u202eab",
]  # fmt: skip


async def test_search_text_cannot_inject_query_syntax(harness: ApiHarness, http: httpx.AsyncClient) -> None:
    store(harness, company("C"))
    for hostile in HOSTILE:
        assert await find_names(http, hostile) == [], hostile


def test_prefix_query_consists_of_quoted_words_only() -> None:
    assert prefix_query("lentile grup") == "'lentile':* & 'grup':*"
    assert prefix_query("a'b | \\c !d") == "('a':* & 'b':* | 'a b':*) & 'c':* & 'd':*"


async def test_search_uses_the_index(harness: ApiHarness) -> None:
    async with harness.services.warehouse.connect() as connection:
        # PostgreSQL would scan a table as small as this one.
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        query = select_by_name("lentile grup").compile(dialect=connection.dialect)
        values = tuple(query.params[name] for name in query.positiontup or ())
        plan = await connection.exec_driver_sql(f"EXPLAIN {query}", values)
        assert "transformed_data_by_name" in "\n".join(plan.scalars())


async def test_exact_match_comes_first_and_others_are_sorted_by_name(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    store(harness, *(company(name) for name in ("Agro Zet", "Agro", "Agro Beta", "AA Agro", "agrò")))

    found = await find_names(http, "AGRO")
    assert set(found[:2]) == {"Agro", "agrò"}
    assert found[2:] == ["AA Agro", "Agro Beta", "Agro Zet"]
    assert await find_names(http, "agro", limit=3) == found[:3]


async def test_search_result_is_a_summary(harness: ApiHarness, http: httpx.AsyncClient) -> None:
    facts = company("Scurt", legal_form="SRL", status=CompanyStatus.INACTIVE)
    store(harness, facts)

    [found] = (await http.get("/companies", params={"name": "scurt"})).json()
    assert datetime.fromisoformat(found.pop("fetched_at")) == NOW
    assert found == {"idno": facts.idno, "name": "Scurt", "legal_form": "SRL", "status": "inactive"}


async def test_search_returns_twenty_companies_by_default(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    store(harness, *(company(f"Multe {number}") for number in range(25)))
    assert len(await find_names(http, "multe")) == 20
    assert len(await find_names(http, "multe", limit=100)) == 25


async def refused_fields(http: httpx.AsyncClient, path: str, **params: str) -> list[str]:
    """Return the fields for which a request is refused."""
    answer = await http.get(path, params=params)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, (path, params)
    return [error["field"] for error in answer.json()["errors"]]


async def test_invalid_search_parameters_are_refused_by_name(http: httpx.AsyncClient) -> None:
    for name in ("a", "a.", "—— !!", "", "x" * 101, "\x00\x00"):
        assert await refused_fields(http, "/companies/", name=name) == ["name"]
    assert await refused_fields(http, "/companies/") == ["name"]
    for limit in ("0", "101", "x"):
        assert await refused_fields(http, "/companies/", name="ab", limit=limit) == ["limit"]


FILED = (
    Statement(
        year=2023,
        document_type="rsf1",
        cuiio="4055",
        lines=(
            StatementLine(5, "430", Decimal("12345678901234567890.10"), "Total active"),
            StatementLine(6, "010", Decimal("-5"), None),
        ),
    ),
    Statement(year=2021, currency="EUR", lines=(StatementLine(6, "180", Decimal("7.50"), "Profit net"),)),
)


async def test_statements_are_listed_with_key_figures_newest_first(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    facts = company(statements=FILED)
    with harness.databases.warehouse() as connection:
        capture_id = store_record(connection, facts, at=NOW, version=3)

    answer = (await http.get(f"/companies/{facts.idno}/statements/")).json()

    assert [statement["year"] for statement in answer["statements"]] == [2023, 2021]
    newest, oldest = answer["statements"]
    assert newest["total_assets"] == "12345678901234567890.10"
    assert (newest["revenue"], newest["net_profit"], newest["currency"]) == ("-5", None, "MDL")
    assert (newest["source_data_id"], newest["transform_version"]) == (capture_id, 3)
    assert (oldest["net_profit"], oldest["currency"]) == ("7.50", "EUR")


async def test_statement_has_all_rows_and_its_capture(harness: ApiHarness, http: httpx.AsyncClient) -> None:
    facts = company(statements=FILED)
    with harness.databases.warehouse() as connection:
        capture_id = store_record(connection, facts, at=NOW, version=3)

    answer = (await http.get(f"/companies/{facts.idno}/statements/2023/")).json()

    assert answer["lines"] == [
        {"form": 5, "row": "430", "label": "Total active", "value": "12345678901234567890.10"},
        {"form": 6, "row": "010", "label": None, "value": "-5"},
    ]
    assert (answer["idno"], answer["year"], answer["currency"]) == (facts.idno, 2023, "MDL")
    assert (answer["document_type"], answer["cuiio"]) == ("rsf1", "4055")
    assert answer["source"]["source_data_id"] == capture_id
    assert answer["source"]["url"].endswith(facts.idno)
    assert answer["transform_version"] == 3


async def test_missing_statement_is_answered_with_available_years(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    filed, unfiled, unknown = company(statements=FILED), company(), next(IDNOS)
    store(harness, filed, unfiled)

    async def refusal(path: str) -> str:
        answer = await http.get(f"/companies/{path}")
        assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
        return str(answer.json()["detail"])

    assert "2023, 2021" in await refusal(f"{filed.idno}/statements/2022/")
    assert "it has no statements" in await refusal(f"{unfiled.idno}/statements/2022/")
    assert "has no record" in await refusal(f"{unknown}/statements/2022/")
    assert "has no record" in await refusal(f"{unknown}/statements/")
    assert (await http.get(f"/companies/{unfiled.idno}/statements/")).json()["statements"] == []


async def test_invalid_year_is_refused(http: httpx.AsyncClient) -> None:
    for year in ("1899", "2101", "x", "2023.5", "9" * 20):
        assert await refused_fields(http, f"/companies/{next(IDNOS)}/statements/{year}/") == ["year"]


async def test_provenance_names_capture_reading_and_text_of_each_field(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    facts = company(
        address="str. Veche 1", remarks={"status": ["radiată la 01.02.2024"]}, incomplete_lists=("founders",)
    )
    unread = {"field": "status", "text": "în curs", "reason": "not a status"}
    with harness.databases.warehouse() as connection:
        earlier = add_visit(connection, facts.idno, at=NOW - timedelta(days=2))
        newest = add_visit(connection, facts.idno, at=NOW)
        store_record(
            connection,
            facts,
            at=NOW,
            capture_id=newest,
            version=4,
            sources={
                "name": {"source_data_id": newest, "reading": "json", "raw": " Made  up ", "rule": "key a.b"},
                "address": {"source_data_id": earlier, "reading": "html", "raw": None},
            },
            disagreements={"name": {"html": "Made-up", "json": "Made up"}},
            notes=["the page shows two dates"],
            unknown=["json: /company/newField"],
            unread=[unread],
        )

    answer = (await http.get(f"/companies/{facts.idno}/provenance/")).json()

    name, address = answer["fields"]["name"], answer["fields"]["address"]
    assert (name["source_data_id"], name["reading"], name["raw"]) == (newest, "json", " Made  up ")
    assert (address["source_data_id"], address["reading"], address["raw"]) == (earlier, "html", None)
    assert (name["rule"], address["rule"]) == ("key a.b", None)
    assert datetime.fromisoformat(address["fetched_at"]) == NOW - timedelta(days=2)
    assert datetime.fromisoformat(name["fetched_at"]) == NOW
    for field in (name, address):
        assert field["url"].endswith(facts.idno)
        assert len(field["raw_html_sha256"]) == 64
        assert field["transform_version"] == 4
    assert answer["source"]["source_data_id"] == newest
    assert answer["disagreements"] == {"name": {"html": "Made-up", "json": "Made up"}}
    assert answer["notes"] == ["the page shows two dates"]
    assert answer["unknown"] == ["json: /company/newField"]
    assert answer["unread"] == [unread]
    assert answer["remarks"] == {"status": ["radiată la 01.02.2024"]}
    assert answer["incomplete_lists"] == ["founders"]


async def test_record_shows_remarks_and_incomplete_lists(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    founder = Party(name="Ana Popa", kind=PartyKind.PERSON, remark="25–50 %")
    facts = company(founders=(founder,), remarks={"status": ["în lichidare"]}, incomplete_lists=("founders",))
    plain = company()
    store(harness, facts, plain)
    record = (await http.get(f"/companies/{facts.idno}/")).json()
    assert record["remarks"] == {"status": ["în lichidare"]}
    assert record["incomplete_lists"] == ["founders"]
    assert [party["remark"] for party in record["founders"]] == ["25–50 %"]
    record = (await http.get(f"/companies/{plain.idno}/")).json()
    assert (record["remarks"], record["incomplete_lists"]) == ({}, [])


async def test_record_without_field_provenance_names_its_capture_only(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    facts, unknown = company(), next(IDNOS)
    store(harness, facts)
    answer = (await http.get(f"/companies/{facts.idno}/provenance/")).json()
    assert answer["fields"] == {}
    assert answer["source"]["url"].endswith(facts.idno)
    assert (await http.get(f"/companies/{unknown}/provenance/")).status_code == httpx.codes.NOT_FOUND


async def test_current_record_has_key_figures_and_no_as_of(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    facts = company(statements=FILED, address="str. Veche 1")
    store(harness, facts)
    record = (await http.get(f"/companies/{facts.idno}/")).json()
    assert "as_of" not in record
    assert [statement["year"] for statement in record["statements"]] == [2023, 2021]
    assert record["source"]["transform_version"] == 1


ROUTES = (
    "/companies/?name=made",
    *(f"/companies/{make_idno(8399)}{path}" for path in ("/", "/changes/", "/provenance/", "/statements/")),
    f"/companies/{make_idno(8399)}/statements/2023/",
)


async def test_companies_need_a_role_or_a_key_with_the_right_scope(
    harness: ApiHarness, http: httpx.AsyncClient
) -> None:
    async with harness.signed_in() as standard:
        created = await standard.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]})
    signed_out = {"Authorization": ""}
    key = {**signed_out, "X-API-Key": created.json()["key"]}
    for path in ROUTES:
        assert (await http.get(path)).status_code in (httpx.codes.OK, httpx.codes.NOT_FOUND)
        assert (await http.get(path, headers=signed_out)).status_code == httpx.codes.UNAUTHORIZED
        assert (await http.get(path, headers=key)).status_code == httpx.codes.FORBIDDEN


async def test_quarantine_lists_the_last_tried_captures_first(harness: ApiHarness) -> None:
    idnos = [next(IDNOS) for _ in range(5)]
    ids = []
    with harness.databases.warehouse() as connection:
        for number, idno in enumerate(idnos):
            ids.append(add_visit(connection, idno, at=NOW))
            # Two were tried at the same time.
            quarantine_capture(connection, idno, ids[-1], at=NOW + timedelta(microseconds=min(number, 3)))
    async with harness.signed_in(Role.ADMIN) as admin:
        whole = (await admin.get("/quarantine/")).json()
        assert [capture["idno"] for capture in whole["captures"]] == idnos[::-1]
        assert (whole["total"], whole["next"]) == (5, None)
        assert set(whole["captures"][0]) == {
            *("source_data_id", "idno", "reason", "detail", "raw_html_sha256", "transform_version"),
            *("tries", "first_tried_at", "last_tried_at"),
        }
        assert (whole["captures"][0]["reason"], whole["captures"][0]["tries"]) == ("not_readable", 1)

        pages, after = [], None
        while True:
            params = {"limit": 1, **({"after": after} if after else {})}
            page = (await admin.get("/quarantine", params=params)).json()
            assert page["total"] == 5
            pages.append(page["captures"])
            after = page["next"]
            if after is None:
                break
        assert [capture for page in pages for capture in page] == whole["captures"]
        assert len(pages) == 5


async def test_invalid_quarantine_parameters_are_refused_by_name(harness: ApiHarness) -> None:
    async with harness.signed_in(Role.ADMIN) as admin:
        for limit in ("0", "201"):
            assert await refused_fields(admin, "/quarantine/", limit=limit) == ["limit"]
        for after in ("x", "1", f"1-{2**63}", "-1-1", "1-1\n"):
            assert await refused_fields(admin, "/quarantine/", after=after) == ["after"]
        farthest = await admin.get("/quarantine/", params={"after": f"{'9' * 17}-{'9' * 18}"})
        assert farthest.status_code == httpx.codes.OK


async def test_only_admins_can_read_the_quarantine(harness: ApiHarness, http: httpx.AsyncClient) -> None:
    assert (await http.get("/quarantine/")).status_code == httpx.codes.FORBIDDEN
    async with harness.signed_in() as standard:
        assert (await standard.get("/quarantine/")).status_code == httpx.codes.FORBIDDEN
    harness.finish_company(str(uuid4()), next(IDNOS))
    assert (await http.get("/quarantine/", headers={"Authorization": ""})).status_code == 401
