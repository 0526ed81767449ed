"""The hash of a capture covers all its fields and is the same before and after storing."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Connection

from standin.site_facts import make_idno
from tests.long_version import examples
from tests.warehouse.evidence.capture_factory import FETCHED_AT, capture, payload, store
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.evidence import CaptureEvidence, evidence_document, evidence_sha256
from warehouse.evidence.read import load_evidence

IDNO = make_idno(3500)
_TEXT = st.text(st.characters(), max_size=20)  # NUL and half surrogate pairs as well
_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_TIMES = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone comes with the next argument
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9))]),
)


@pytest.fixture(scope="module")
def connection(databases: Databases) -> Iterator[Connection]:
    with databases.tampering() as connection:
        yield connection


@settings(max_examples=examples(60, long=150))
@given(headers=_JSON, timings=_JSON, redirects=st.lists(_JSON, max_size=2), text=_TEXT, time=_TIMES)
def test_hash_is_the_same_after_storing_the_capture(
    connection: Connection, headers: Any, timings: Any, redirects: Any, text: str, time: datetime
) -> None:
    evidence = capture(
        IDNO,
        response_headers=headers,
        timings=timings,
        redirects=redirects,
        error=text,
        fetched_at=time,
        payloads=(payload(3, None, response_headers=headers), payload(1, None, url=text)),
    )
    with connection.begin_nested() as savepoint:
        store(connection, evidence)
        [stored] = load_evidence(connection, IDNO)
        savepoint.rollback()
    assert stored.sha256 == evidence_sha256(stored.evidence) == evidence_sha256(evidence)


@pytest.mark.parametrize(
    ("value", "stored"), [(1e22, 10**22), (1.0, 1), (-0.0, 0), (1e-7, 1e-7), ((1, 2), [1, 2]), (True, True)]
)
def test_numbers_are_normalized_like_the_database_does(value: Any, stored: Any) -> None:
    normalized = capture(IDNO, timings={"n": value}).timings["n"]
    assert (normalized, type(normalized)) == (stored, type(stored))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": object()}])
def test_values_that_json_cannot_represent_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        capture(IDNO, timings={"n": value})


def test_plain_json_of_the_document_has_the_same_hash() -> None:
    evidence = capture(IDNO)
    document = json.loads(json.dumps(evidence_document(evidence)))
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(plain.encode()).hexdigest() == evidence_sha256(evidence)
    assert document["fetched_at"] == "2026-11-24T22:54:36.123456+00:00"


CHANGED: dict[str, Any] = {
    "capture_id": None,
    "idno": make_idno(3501),
    "url": "https://example.md/",
    "final_url": None,
    "status_code": 201,
    "outcome": Outcome.INCOMPLETE,
    "error": "odd",
    "fetched_at": FETCHED_AT + timedelta(microseconds=1),
    "duration_ms": 813,
    "attempt": 2,
    "browser": None,
    "response_headers": {},
    "redirects": [],
    "timings": None,
    "raw_html_sha256": None,
    "look_sha256": None,
    "document_sha256": None,
    "screenshot_sha256": None,
    "run_id": "another",
    "requested_by": None,
    "payloads": (),
}


@pytest.mark.parametrize("field", CaptureEvidence.model_fields)
def test_hash_covers_every_field(field: str) -> None:
    evidence = capture(IDNO)
    assert evidence_sha256(evidence.model_copy(update={field: CHANGED[field]})) != evidence_sha256(evidence)


@pytest.mark.parametrize(
    "change", [{"position": 2}, {"url": "x"}, {"status_code": 1}, {"response_headers": 0}, {"sha256": "x"}]
)
def test_hash_covers_every_field_of_a_payload(change: dict[str, Any]) -> None:
    evidence, answer = capture(IDNO), payload(0, b"{}")
    before = evidence.model_copy(update={"payloads": (answer,)})
    after = evidence.model_copy(update={"payloads": (answer.model_copy(update=change),)})
    assert evidence_sha256(before) != evidence_sha256(after)


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        capture(IDNO, fetched_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_capture_without_a_look_has_the_hash_that_it_had_before_looks_existed() -> None:
    document = evidence_document(capture(IDNO, look_sha256=None))
    assert "look_sha256" not in document
    assert "look_sha256" in evidence_document(capture(IDNO))
