"""Tests of the tool that stores a captured page as a test case."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from pipeline.extract.page_capture import Capture, Payload
from pipeline.records.capture_store import CaptureContents, store_capture
from stack.home import RunningPlatform, locked
from standin.site_facts import company_name
from tests.cases.add import CaseRefused, disguised_case, load_capture, main
from tests.cases.case_store import (
    CaseExists,
    StoredCase,
    case_names,
    differences,
    load_case,
    renew_case,
    store_case,
)
from tests.pipeline.transform.html_pages import IDNO, OTHER_IDNO, PageCompany, page
from tests.pipeline.transform.rendered import RenderedPage, page_variants, render
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.schema import database_roles

BODY = json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO"}).encode()


def case_of(name: str = "a-case") -> StoredCase:
    contents = CaptureContents(page(PageCompany()).encode(), (BODY, b"[]"))
    return disguised_case(IDNO, name, contents, about="Why not.")


def capture_of(
    idno: str, html: str, outcome: Outcome = Outcome.OK, *, bodies: Sequence[bytes] = (BODY,)
) -> Capture:
    return Capture(
        idno=idno,
        url=f"https://example.md/companies/{idno}",
        final_url=None,
        status_code=200,
        outcome=outcome,
        html=html,
        payloads=tuple(
            Payload(url=f"https://api.example.md/{number}", status_code=200, body=body)
            for number, body in enumerate(bodies)
        ),
        fetched_at=datetime(2026, 9, 1, tzinfo=UTC),
        duration_ms=1,
    )


@pytest.fixture
def warehouse(databases: Databases) -> Iterator[Connection]:
    """A connection to the warehouse; it is rolled back after the test."""
    with databases.engine(database_roles.PIPELINE).connect() as connection:
        yield connection
        connection.rollback()


def test_a_stored_case_is_loaded_unchanged(tmp_path: Path) -> None:
    case = case_of()

    store_case(case, tmp_path)

    assert case_names(tmp_path) == ["a-case"]
    assert load_case("a-case", tmp_path) == case
    assert not differences(case.expected, case.read())


def test_a_case_name_can_be_used_only_once(tmp_path: Path) -> None:
    store_case(case_of(), tmp_path)
    before = (tmp_path / "a-case" / "page.html").read_bytes()

    with pytest.raises(CaseExists, match="the case a-case exists already"):
        store_case(case_of(), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["a-case"]
    assert (tmp_path / "a-case" / "page.html").read_bytes() == before


def test_renewing_a_case_stores_its_current_reading(tmp_path: Path) -> None:
    case = case_of()
    facts = {**case.expected["facts"], "legal_form": "SA"}
    store_case(replace(case, expected={**case.expected, "facts": facts}), tmp_path)

    assert renew_case(load_case("a-case", tmp_path), tmp_path) == {"legal_form": ("SA", "SRL")}
    assert load_case("a-case", tmp_path) == case


def test_name_and_description_of_a_case_must_not_contain_names_from_the_page() -> None:
    contents = CaptureContents(page(PageCompany()).encode(), ())

    with pytest.raises(CaseRefused, match="must not contain names from the page: modeleanu, plopena"):
        disguised_case(IDNO, "plopena", contents, about="Modeleanu is a founder.")


def test_the_newest_good_capture_or_the_given_one_is_loaded(warehouse: Connection) -> None:
    first, second, _, other = (
        store_capture(warehouse, capture, run_id="run", requested_by=None)
        for capture in (
            capture_of(IDNO, "<p>first</p>"),
            capture_of(IDNO, "<p>second</p>"),
            capture_of(IDNO, "<p>a challenge</p>", Outcome.BLOCKED),
            capture_of(OTHER_IDNO, "<p>another</p>"),
        )
    )

    assert load_capture(warehouse, IDNO) == CaptureContents(b"<p>second</p>", (BODY,))
    assert load_capture(warehouse, IDNO, first).html == b"<p>first</p>"
    assert load_capture(warehouse, IDNO, second).html == b"<p>second</p>"
    with pytest.raises(CaseRefused, match=f"{other} is not a good capture of {IDNO}"):
        load_capture(warehouse, IDNO, other)


def test_a_company_without_a_good_capture_is_an_error(warehouse: Connection) -> None:
    with pytest.raises(CaseRefused, match=f"{OTHER_IDNO} has no good capture"):
        load_capture(warehouse, OTHER_IDNO)


@pytest.fixture
def captured(starts_browser: None, tmp_path: Path) -> RenderedPage:
    """A page of the stand-in site as Chrome shows it."""
    [rendered] = render(page_variants(1), tmp_path / "browser")
    return rendered


@pytest.fixture
def platform_home(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Databases, Path]]:
    """An empty warehouse, and the home of a platform that consists of nothing else."""
    home = databases.home
    with databases.fresh() as fresh, locked(home), monkeypatch.context() as patch:
        patch.setattr(database_roles, "WAREHOUSE_DATABASE", fresh.names[database_roles.WAREHOUSE_DATABASE])
        RunningPlatform(
            pid=os.getpid(),
            gateway_url="",
            dagster_url="",
            site_url="",
            supervisor_socket="",
            ports={"postgres": databases.port},
        ).save(home)
        yield fresh, home.path
        home.state.unlink()


def test_a_page_captured_by_the_platform_becomes_a_case(
    captured: RenderedPage,
    platform_home: tuple[Databases, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    warehouse, home = platform_home
    idno, bodies = captured.idno, captured.bodies
    with warehouse.warehouse() as connection:
        store_capture(
            connection, capture_of(idno, captured.html, bodies=bodies), run_id="run", requested_by=None
        )

    status = main(
        [idno, "a-case", "--about", "Why not.", "--home", str(home), "--folder", str(tmp_path / "cases")]
    )

    assert status == 0, capsys.readouterr().err
    case = load_case("a-case", tmp_path / "cases")
    assert case.expected["facts"]["name"] not in (None, company_name(idno))
    assert f"name {case.expected['facts']['name']!r}" in capsys.readouterr().out
    assert not differences(case.expected, case.read())


def test_the_tool_reports_that_no_platform_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([IDNO, "a-case", "--about", "Why not.", "--home", str(tmp_path)])

    assert status == 1
    assert capsys.readouterr().err.startswith(f"cases: no platform runs at {tmp_path}; start one with")


@pytest.mark.parametrize("name", ["", "A-case", "../a", "a_b", "a--b", "-a", "a.html", "ă"])
def test_an_invalid_case_name_is_rejected(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([IDNO, f"{name}", "--about", "Why not."])

    assert capsys.readouterr().err


def test_an_empty_description_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([IDNO, "a-case", "--about", " "])

    assert "--about must not be empty" in capsys.readouterr().err
