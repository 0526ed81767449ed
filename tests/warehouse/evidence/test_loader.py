"""Captures that the pipeline stores can be read back as evidence."""

from datetime import UTC, datetime

from pipeline.extract.page_capture import Capture, Hop, Payload
from pipeline.records.capture_store import store_capture
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.evidence.read import load_evidence
from warehouse.evidence.warc_records import records_of

IDNO = make_idno(3540)


def test_stored_capture_is_read_back_completely(databases: Databases) -> None:
    capture = Capture(
        idno=IDNO,
        url="https://example.md/companies/1",
        final_url="https://example.md/ro/companies/1",
        status_code=200,
        outcome=Outcome.OK,
        html="<h1>\ud800 Șantier</h1>",
        look='{"version":1,"elements":4,"marks":[]}',
        payloads=(Payload(url="https://api.example.md/1", status_code=200, body=b"{}"),),
        fetched_at=datetime.now(UTC),
        duration_ms=10,
        error="a\x00b",
        response_headers={"set-cookie": "a=1\nb=2"},
        redirects=(Hop(url="https://example.md/companies/1", status_code=302, response_headers={}),),
        timings={"document": 12.0, "rendered": 1e-7},
        document=b"<app-root>",
        screenshot=b"\x89PNG",
    )
    with databases.tampering() as connection:
        store_capture(connection, capture, run_id="run", requested_by=None)
        [stored] = load_evidence(connection, IDNO)
    assert stored.sha256 is not None
    assert [record.kind for record in records_of(stored)] == [
        *("response", "response", "response", "conversion", "resource", "resource", "metadata"),
    ]
