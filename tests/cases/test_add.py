"""The tool that keeps a captured page as a case."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from pipeline.extract.page_capture import Capture, Payload
from pipeline.records.capture_store import CaptureContents, store_capture
from standin.site_facts import company_name, make_idno
from tests.cases.add import NotKept, captured, disguised_case, main
from tests.cases.kept import CaseExists, KeptCase, differences, keep, load, names, renew
from tests.pipeline.transform.html_pages import IDNO, OTHER_IDNO, PageCompany, page
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.schema import database_roles

BODY = json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO"}).encode()


def case_of(name: str = "a-case") -> KeptCase:
    contents = CaptureContents(page(PageCompany()).encode(), (BODY, b"[]"))
    return disguised_case(IDNO, name, contents, about="Why not.")


def capture_of(idno: str, html: str, outcome: Outcome = Outcome.OK) -> Capture:
    return Capture(
        idno=idno,
        url=f"https://example.md/companies/{idno}",
        final_url=None,
        status_code=200,
        outcome=outcome,
        html=html,
        payloads=(Payload(url="https://api.example.md/c", status_code=200, body=BODY),),
        fetched_at=datetime(2026, 9, 1, tzinfo=UTC),
        duration_ms=1,
    )


@pytest.fixture
def warehouse(databases: Databases) -> Iterator[Connection]:
    """A warehouse to write to; what a test writes is undone."""
    with databases.engine(database_roles.PIPELINE).connect() as connection:
        yield connection
        connection.rollback()


def test_a_kept_case_is_read_back_as_it_was(tmp_path: Path) -> None:
    case = case_of()

    keep(case, tmp_path)

    assert names(tmp_path) == ["a-case"]
    assert load("a-case", tmp_path) == case
    assert not differences(case.expected, case.read())


def test_a_name_is_given_once(tmp_path: Path) -> None:
    keep(case_of(), tmp_path)
    before = (tmp_path / "a-case" / "page.html").read_bytes()

    with pytest.raises(CaseExists, match="there is a case a-case already"):
        keep(case_of(), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["a-case"]
    assert (tmp_path / "a-case" / "page.html").read_bytes() == before


def test_a_case_that_is_read_otherwise_is_renewed(tmp_path: Path) -> None:
    case = case_of()
    facts = {**case.expected["facts"], "legal_form": "SA"}
    keep(replace(case, expected={**case.expected, "facts": facts}), tmp_path)

    assert renew(load("a-case", tmp_path), tmp_path) == {"legal_form": ("SA", "SRL")}
    assert load("a-case", tmp_path) == case


def test_what_is_said_of_a_case_does_not_tell_whose_page_it_is() -> None:
    contents = CaptureContents(page(PageCompany()).encode(), ())

    with pytest.raises(NotKept, match="must not tell whose page it is: modeleanu, plopena"):
        disguised_case(IDNO, "plopena", contents, about="Modeleanu is a founder.")


def test_the_newest_good_capture_is_taken_or_the_one_that_is_named(warehouse: Connection) -> None:
    first, second, _, other = (
        store_capture(warehouse, capture, run_id="run", requested_by=None)
        for capture in (
            capture_of(IDNO, "<p>first</p>"),
            capture_of(IDNO, "<p>second</p>"),
            capture_of(IDNO, "<p>a challenge</p>", Outcome.BLOCKED),
            capture_of(OTHER_IDNO, "<p>another</p>"),
        )
    )

    assert captured(warehouse, IDNO) == CaptureContents(b"<p>second</p>", (BODY,))
    assert captured(warehouse, IDNO, first).html == b"<p>first</p>"
    assert captured(warehouse, IDNO, second).html == b"<p>second</p>"
    with pytest.raises(NotKept, match=f"{other} is no good capture of {IDNO}"):
        captured(warehouse, IDNO, other)


def test_a_company_without_a_good_capture_is_told(warehouse: Connection) -> None:
    with pytest.raises(NotKept, match=f"no good capture of {OTHER_IDNO} is held"):
        captured(warehouse, OTHER_IDNO)


def test_a_page_that_the_platform_captured_becomes_a_case(
    platform: Platform, user: PlatformUser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idno = make_idno(3117)
    user.fetch(idno)

    status = main(
        [idno, "a-case", "--about", "Why not.", "--home", str(platform.home.path), "--folder", str(tmp_path)]
    )

    assert status == 0, capsys.readouterr().err
    case = load("a-case", tmp_path)
    assert case.expected["facts"]["name"] != company_name(idno)
    assert f"name {case.expected['facts']['name']!r}" in capsys.readouterr().out
    assert not differences(case.expected, case.read())


def test_where_nothing_runs_it_says_so_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([IDNO, "a-case", "--about", "Why not.", "--home", str(tmp_path)])

    assert status == 1
    assert capsys.readouterr().err.startswith(f"cases: no platform runs at {tmp_path}; start one with")


@pytest.mark.parametrize("name", ["", "A-case", "../a", "a_b", "a--b", "-a", "a.html", "ă"])
def test_a_name_that_is_none_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([IDNO, f"{name}", "--about", "Why not."])

    assert capsys.readouterr().err


def test_a_case_says_why_it_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([IDNO, "a-case", "--about", " "])

    assert "say why the page is kept" in capsys.readouterr().err
