"""`registru explain`: what it prints for a record, and its error messages."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from stack.cli import main
from stack.home import RunningPlatform, locked
from stack.printable import printable
from standin.site_facts import make_idno
from tests.api.record_factory import add_visit, quarantine_capture, store_record
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.records.models import Activity, CompanyFacts, CompanyStatus, Party, PartyKind, Statement

IDNO, NEVER_VISITED, NOT_FOUND, QUARANTINED = (make_idno(number) for number in range(3560, 3564))
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
FACTS = CompanyFacts(
    idno=IDNO,
    name="PLOPENA \x1b[31mAGRO",
    status=CompanyStatus.INACTIVE,
    address="str. Veche 1",
    founders=(
        Party(name="MODELEANU ION", kind=PartyKind.PERSON, share=50, remark="27000 lei"),
        Party(name="ALFA SRL", kind=PartyKind.COMPANY, idno="1007998000019"),
    ),
    unlicensed_activities=(Activity(name="Comerț " * 40, code="46"),),
    statements=(Statement(year=2024),),
    remarks={"status": ("radiată la 01.02.2024",)},
    incomplete_lists=("founders",),
)


@pytest.fixture(scope="module", autouse=True)
def _running_home(databases: Databases) -> Iterator[None]:
    with databases.warehouse() as connection:
        earlier = add_visit(connection, IDNO, at=NOW - timedelta(days=9))
        newest = add_visit(connection, IDNO, at=NOW)
        store_record(
            connection,
            FACTS,
            at=NOW,
            capture_id=newest,
            sources={
                "name": {"source_data_id": newest, "reading": "html", "raw": FACTS.name, "rule": "heading"},
                "status": {
                    "source_data_id": newest,
                    "reading": "html",
                    "raw": "Radiată",
                    "rule": "label «Stare»",
                },
                "address": {"source_data_id": earlier, "reading": "json", "raw": "x" * 3000},
            },
            disagreements={"status": {"html": "inactive", "json": "active"}},
            unread=[
                {"field": "address", "text": "Conectați-vă\u202e", "reason": "a placeholder"},
                {"field": "revenue", "text": "1 234 ???", "reason": "not an amount"},
            ],
            notes=["a note"],
        )
        add_visit(connection, NOT_FOUND, at=NOW, outcome=Outcome.NOT_FOUND)
        quarantine_capture(connection, QUARANTINED, add_visit(connection, QUARANTINED, at=NOW), at=NOW)
    running = RunningPlatform(os.getpid(), "", "", "", "", {"postgres": databases.port})
    with locked(databases.home):
        running.save(databases.home)
        yield
    databases.home.state.unlink()


def explain(databases: Databases, *arguments: str) -> int:
    try:
        return main(["explain", "--home", str(databases.home.path), *arguments])
    except SystemExit as refused:  # of argparse
        return int(refused.code or 0)


def test_text_shows_value_rule_text_remarks_and_unread_texts_of_each_field(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(databases, IDNO) == 0
    blocks = {block.split(maxsplit=1)[0]: block for block in capsys.readouterr().out.split("\n\n")}
    lines = {name: [line.split(maxsplit=1) for line in block.splitlines()] for name, block in blocks.items()}
    assert lines["status"] == [
        ["status", "inactive"],
        ["rule", "html: label «Stare»"],
        ["text", "«Radiată»"],
        ["remark", "«radiată la 01.02.2024»"],
        ["disagreement", "html: «inactive»"],
        ["disagreement", "json: «active»"],
    ]
    assert lines["founders"][:2] == [
        ["founders", "MODELEANU ION; kind person; share 50.0; remark 27000 lei"],
        ["ALFA", "SRL; kind company; idno 1007998000019"],
    ]
    assert lines["founders"][2] == ["incomplete", "the list contains only a part of what exists"]
    assert "the earlier capture" in blocks["address"] and "of 2026-08-23" in blocks["address"]
    assert "3000 characters" in blocks["address"]
    assert lines["revenue"] == [["revenue", "(none)"], ["unread", "«1 234 ???»: not an amount"]]
    assert lines["cuatm"] == [["cuatm", "(none)"]]
    assert "MDL" in blocks["statements/2024"]
    assert lines["note"] == [["note", "a note"]]


def test_text_is_at_most_100_columns_wide_and_has_no_control_characters(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(databases, IDNO) == 0
    output = capsys.readouterr().out
    assert max(cell_len(line) for line in output.splitlines()) <= 100
    assert "\x1b" not in output and "\u202e" not in output
    assert r"PLOPENA \x1b[31mAGRO" in output and r"Conectați-vă\u202e" in output


def test_json_has_all_fields_and_texts_in_full(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(databases, IDNO, "--json") == 0
    output = capsys.readouterr().out
    assert output.isascii()
    explained = json.loads(output)
    fields = {field["field"]: field for field in explained["fields"]}
    assert explained["idno"] == IDNO
    assert fields["name"]["value"] == FACTS.name
    assert fields["status"]["source"]["rule"] == "label «Stare»"
    assert fields["status"]["disagreement"] == {"html": "inactive", "json": "active"}
    assert (len(fields["address"]["source"]["raw"]), fields["address"]["is_earlier"]) == (3000, True)
    assert fields["address"]["unread"][0]["reason"] == "a placeholder"
    assert fields["founders"]["is_incomplete"] is True


@pytest.mark.parametrize(
    ("idno", "messages"),
    [
        (NEVER_VISITED, ("has no record", f"`registru scrape {NEVER_VISITED}`")),
        (NOT_FOUND, ("has no record", "at 2026-09-01 12:00:00 UTC, ended as not_found (it was not_found)")),
        (QUARANTINED, ("ended as ok, and its capture is in quarantine: not_readable: it says nothing",)),
        ("1020999000010", ("fails the check digit",)),
    ],
)
def test_company_without_a_record_is_refused_with_the_reason(
    databases: Databases, capsys: pytest.CaptureFixture[str], idno: str, messages: tuple[str, ...]
) -> None:
    assert explain(databases, idno) != 0
    errors = capsys.readouterr().err
    assert all(message in errors for message in messages), errors


def test_explain_needs_a_running_platform(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path_factory.mktemp("no-platform")
    assert main(["explain", "--home", str(home), IDNO]) == 1
    assert "no platform runs at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ȘOIMENI ŢARĂ", "ȘOIMENI ŢARĂ"),
        ("a\tb\r\n", r"a\tb\r\n"),
        ("\x9b2J", r"\x9b2J"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_and_format_characters_are_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected
