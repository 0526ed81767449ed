"""Exported evidence can be verified with standard tools: warcio, sha256sum and the index."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from warcio.archiveiterator import ArchiveIterator

from standin.site_facts import make_idno
from tests.warehouse.evidence.capture_factory import (
    COMPANY,
    DOCUMENT,
    FIGURES,
    HTML,
    LOOK,
    PNG,
    URL,
    capture,
    payload,
    store,
    unanswered,
)
from tests.warehouse_server import Databases
from warehouse.evidence import EvidenceDamaged, NoEvidence
from warehouse.evidence.evidence_errors import NotWritten
from warehouse.evidence.export import EvidenceExport, export_evidence

IDNO = make_idno(3520)
PARTIAL = (
    payload(0, None, status_code=None),
    payload(1, None),
    payload(2, COMPANY, status_code=None),
    payload(3, FIGURES, response_headers=None),
)


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """A connection to a warehouse that holds captures of every kind."""
    with databases.tampering() as connection:
        store(connection, capture(IDNO))
        store(connection, unanswered(IDNO))
        store(connection, capture(IDNO, document_sha256=None, payloads=PARTIAL))
        store(connection, unanswered(IDNO, raw_html_sha256=capture(IDNO).raw_html_sha256))
        store(connection, capture(IDNO, capture_id=None, status_code=520, redirects=[]), is_hashed=False)
        yield connection


@pytest.fixture
def exported(connection: Connection, tmp_path: Path) -> EvidenceExport:
    return export_evidence(connection, IDNO, tmp_path / "evidence.warc.gz")


class ParsedRecord:
    """A WARC record as parsed by warcio."""

    def __init__(self, record: Any) -> None:
        self.kind, self.content = record.rec_type, record.content_stream().read()
        self.headers: dict[str, str] = {name.lower(): value for name, value in record.rec_headers.headers}
        self.http = record.http_headers

    @property
    def id(self) -> str:
        return self.headers["warc-record-id"]


def records(path: Path) -> list[ParsedRecord]:
    with path.open("rb") as file:
        return [ParsedRecord(record) for record in ArchiveIterator(file, check_digests="raise")]


def captures(path: Path) -> list[list[ParsedRecord]]:
    """Return the records of each capture. The metadata record is the last one."""
    groups: list[list[ParsedRecord]] = [[]]
    for record in records(path)[1:]:
        groups[-1].append(record)
        if record.kind == "metadata":
            groups.append([])
    return groups[:-1]


@pytest.mark.usefixtures("starts_stores")
def test_standard_tools_verify_every_digest(exported: EvidenceExport) -> None:
    warc, _, hashes = (file.path for file in exported.files)
    check = [sys.executable, "-m", "warcio.cli", "check", "-v", str(warc)]
    checked = subprocess.run(check, capture_output=True, text=True, check=True)
    assert checked.stdout.count("digest pass") == exported.records == len(records(warc))
    subprocess.run(["sha256sum", "--check", "--strict", hashes.name], cwd=hashes.parent, check=True)  # noqa: S607
    for file in exported.files:
        content = file.path.read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_file_begins_with_its_description(exported: EvidenceExport) -> None:
    first = records(exported.files[0].path)[0]
    assert first.kind == "warcinfo"
    assert gzip.decompress(exported.files[0].path.read_bytes()).startswith(b"WARC/1.1\r\n")
    for line in (f"registru-idno: {IDNO}", "registru-captures: 5", "software: Registru ", "SHA-256"):
        assert line in first.content.decode()


def test_capture_is_exported_as_responses_page_look_screenshot_and_metadata(exported: EvidenceExport) -> None:
    made = captures(exported.files[0].path)[0]
    assert [(record.kind, record.headers["warc-target-uri"], record.content) for record in made[:-1]] == [
        ("response", URL, b""),
        ("response", f"{URL}/ro", DOCUMENT),
        ("response", "https://api.example.md/api/0?a=1", COMPANY),
        ("response", "https://api.example.md/api/1?a=1", FIGURES),
        ("conversion", f"{URL}/ro", HTML),
        ("resource", f"urn:look:{URL}/ro", LOOK),
        ("resource", f"urn:view:{URL}/ro", PNG),
    ]
    metadata = made[-1]
    assert {record.headers["warc-date"] for record in made} == {"2026-11-24T22:54:36.123456Z"}
    assert made[4].headers["warc-refers-to"] == made[1].id
    assert {record.headers.get("warc-concurrent-to") for record in made} == {metadata.id, made[0].id, None}
    assert "warc-truncated" in made[0].headers and "warc-truncated" not in made[1].headers


def test_response_has_its_own_status_and_headers(exported: EvidenceExport) -> None:
    redirect, document = captures(exported.files[0].path)[0][:2]
    assert (redirect.http.statusline, redirect.http.headers) == ("302 Found", [("location", f"{URL}/ro")])
    assert document.http.statusline == "200 OK"
    assert sorted(document.http.headers) == [
        ("Content-Length", str(len(DOCUMENT))),
        ("X-Archive-Orig-content-encoding", "gzip"),
        ("X-Archive-Orig-content-length", "17"),
        ("content-type", "text/html; charset=utf-8"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
        ("x-name", "Chi%C8%99in%C4%83u"),
    ]


def test_exported_metadata_reproduces_the_evidence_hash(exported: EvidenceExport) -> None:
    for made in captures(exported.files[0].path):
        known = json.loads(made[-1].content)
        plain = json.dumps(known["evidence"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert known["evidence_sha256"] in (None, hashlib.sha256(plain.encode()).hexdigest())
        assert sorted(known["records"].values()) == sorted(record.id for record in made[:-1])
        digests = {record.headers["warc-payload-digest"] for record in made if record.content}
        evidence = known["evidence"]
        for name in ("document_sha256", "raw_html_sha256", "look_sha256", "screenshot_sha256"):
            assert evidence.get(name) is None or f"sha256:{evidence[name]}" in digests
    assert known["evidence_sha256"] is None


def test_missing_bodies_are_marked_as_truncated(exported: EvidenceExport) -> None:
    _, nothing, partial, unproved, _ = captures(exported.files[0].path)
    assert [record.kind for record in nothing] == ["metadata"]
    assert json.loads(nothing[0].content)["evidence"]["error"] == "net::ERR_CONNECTION_REFUSED"
    assert [
        (record.kind, "warc-truncated" in record.headers, len(record.content)) for record in partial[:5]
    ] == [
        ("response", True, 0),
        ("response", True, 0),
        ("response", True, 0),
        ("resource", False, len(COMPANY)),
        ("response", False, len(FIGURES)),
    ]
    assert [record.kind for record in unproved] == ["resource", "metadata"]


def test_the_index_finds_each_record_without_reading_the_file(exported: EvidenceExport) -> None:
    warc, index = exported.files[0].path, exported.files[1].path
    lines = index.read_text().splitlines()
    assert lines == sorted(lines) and len(lines) == exported.records - 1
    for line in lines:
        key, moment, fields = line.split(" ", 2)
        entry = json.loads(fields)
        with warc.open("rb") as file:
            file.seek(int(entry["offset"]))
            alone = file.read(int(entry["length"]))
        [record] = [
            ParsedRecord(record) for record in ArchiveIterator(io.BytesIO(alone), check_digests="raise")
        ]
        assert record.headers["warc-target-uri"] == entry["url"]
        assert (record.kind, record.headers["warc-payload-digest"]) == (entry["type"], entry["digest"])
        assert (
            key.startswith(("md,example", "urn:view:https://example.md", "urn:look:https://example.md"))
            and moment == "20261124225436"
        )
        assert entry["filename"] == warc.name


@pytest.mark.usefixtures("starts_stores")
def test_warcios_own_index_agrees_with_ours(exported: EvidenceExport) -> None:
    warc, index = exported.files[0].path, exported.files[1].path
    command = [sys.executable, "-m", "warcio.cli", "index", "-f", "offset,length", str(warc)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    theirs = {(entry["offset"], entry["length"]) for entry in map(json.loads, listed[1:])}
    ours = [json.loads(line.split(" ", 2)[2]) for line in index.read_text().splitlines()]
    assert theirs == {(entry["offset"], entry["length"]) for entry in ours}


def test_second_export_has_the_same_record_ids(connection: Connection, tmp_path: Path) -> None:
    exports = [export_evidence(connection, IDNO, tmp_path / f"{name}.warc.gz") for name in "ab"]
    first, second = (records(exported.files[0].path)[1:] for exported in exports)
    assert [record.id for record in first] == [record.id for record in second]
    assert len({record.id for record in first}) == len(first)


def test_existing_files_are_kept_without_overwrite(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "e.cdxj").write_text("mine")
    output = tmp_path / "e.warc.gz"
    with pytest.raises(NotWritten, match=r"e\.cdxj already exists"):
        export_evidence(connection, IDNO, output)
    assert [path.name for path in tmp_path.iterdir()] == ["e.cdxj"]
    assert export_evidence(connection, IDNO, output, overwrite=True).captures == 5
    assert (tmp_path / "e.cdxj").read_text() != "mine"


def test_export_of_damaged_evidence_writes_no_file(connection: Connection, tmp_path: Path) -> None:
    statement = "UPDATE source_data SET error = 'none' WHERE outcome = 'network_error'"
    connection.execute(text(statement))
    with pytest.raises(EvidenceDamaged):
        export_evidence(connection, IDNO, tmp_path / "e.warc.gz")
    assert not list(tmp_path.iterdir())


def test_export_errors_name_the_reason(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(NoEvidence, match=f"no capture of {make_idno(3521)} is stored"):
        export_evidence(connection, make_idno(3521), tmp_path / "e.warc.gz")
    with pytest.raises(NotWritten, match=r"must end in \.warc\.gz"):
        export_evidence(connection, IDNO, tmp_path / "e.zip")
    with pytest.raises(NotWritten, match="No such file or directory"):
        export_evidence(connection, IDNO, tmp_path / "nowhere" / "e.warc.gz")
