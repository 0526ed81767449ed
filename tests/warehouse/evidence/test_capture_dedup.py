"""An unchanged capture stores only its differences from an earlier one, and still reads as complete."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.extract.page_capture import Capture, Payload
from pipeline.records.capture_store import earlier_captures, good_captures, load_contents, store_capture
from standin.site_facts import make_idno
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.evidence.read import VerifiedCapture, load_evidence
from warehouse.schema.tables import capture_payloads, source_data, source_payloads

IDNO = make_idno(3541)
AT = datetime(2026, 9, 1, tzinfo=UTC)


def _capture(day: int, body: bytes = b"{}", **headers: str) -> Capture:
    sent = {"content-type": "application/json", "date": f"day {day}", **headers}
    urls = (f"https://api.example.md/{part}/{IDNO}" for part in ("companies", "fin-data"))
    return Capture(
        idno=IDNO,
        url=f"https://example.md/companies/{IDNO}",
        final_url=None,
        status_code=200,
        outcome=Outcome.OK,
        html="<h1>A</h1>",
        payloads=tuple(Payload(url=url, status_code=200, body=body, response_headers=sent) for url in urls),
        fetched_at=AT + timedelta(days=day),
        duration_ms=10,
        response_headers={"content-type": "text/html", "date": f"day {day}"},
    )


def _stored(connection: Connection, *captures: Capture) -> tuple[list[int], list[VerifiedCapture]]:
    ids = [store_capture(connection, made, run_id="run", requested_by=None) for made in captures]
    return ids, list(load_evidence(connection, IDNO))


def _rows(connection: Connection, ids: list[int]) -> int:
    query = select(func.count()).where(source_payloads.c.source_data_id.in_(ids))
    return int(connection.execute(query).scalar_one())


def _same_as(connection: Connection, source_data_id: int) -> Any:
    return connection.scalar(select(source_data.c.same_as).where(source_data.c.id == source_data_id))


def test_unchanged_captures_share_payloads_and_keep_their_own_headers(
    databases: Databases,
) -> None:
    with databases.tampering() as connection:
        ids, stored = _stored(connection, *map(_capture, range(3)))
        assert _rows(connection, ids) == 2
        assert [_same_as(connection, capture_id) for capture_id in ids] == [None, ids[0], ids[0]]
    for day, capture in enumerate(stored):  # loading verified its hash
        evidence = capture.evidence
        assert evidence.response_headers == {"content-type": "text/html", "date": f"day {day}"}
        assert [payload.response_headers["date"] for payload in evidence.payloads] == [f"day {day}"] * 2


def test_capture_with_another_body_or_header_is_stored_completely(
    databases: Databases,
) -> None:
    with databases.tampering() as connection:
        ids, stored = _stored(
            connection,
            _capture(0),
            _capture(1, b"[]"),
            _capture(2, b"[]", etag="x"),
            _capture(3, b"[]", etag="y"),
        )
        assert [_same_as(connection, capture_id) for capture_id in ids] == [None, None, None, ids[2]]
    assert [capture.evidence.payloads[0].response_headers.get("etag") for capture in stored] == [
        None,
        None,
        "x",
        "y",
    ]


def test_unchanged_capture_is_read_like_any_other(databases: Databases) -> None:
    with databases.tampering() as connection:
        (first, second), _ = _stored(connection, _capture(0), _capture(1))
        [capture] = good_captures(connection, [second])
        assert load_contents(connection, [capture])[second].bodies == (b"{}", b"{}")
        [earlier] = earlier_captures(connection, [capture])[second]
        assert earlier.source_data_id == first
        position = capture_payloads.c.position
        query = select(position).where(capture_payloads.c.source_data_id == second).order_by(position)
        assert list(connection.scalars(query)) == [0, 1]
