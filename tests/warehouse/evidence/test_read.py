"""Evidence is read completely and in order, and damage is detected and named."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from standin.site_facts import make_idno
from tests.warehouse.evidence.capture_factory import (
    BODIES,
    COMPANY,
    DOCUMENT,
    FETCHED_AT,
    HTML,
    PNG,
    capture,
    sha256,
    store,
    unanswered,
)
from tests.warehouse_server import Databases
from warehouse.evidence import EvidenceDamaged
from warehouse.evidence.read import Period, count_captures, load_evidence
from warehouse.schema import database_roles

IDNO = make_idno(3510)


def test_captures_are_read_oldest_first_with_their_bodies(databases: Databases) -> None:
    captures = [capture(IDNO), unanswered(IDNO)]
    with databases.tampering() as connection:
        ids = [store(connection, evidence) for evidence in captures]
        store(connection, capture(make_idno(3511)))
        stored = list(load_evidence(connection, IDNO))
    assert [capture.source_data_id for capture in stored] == ids
    assert [capture.evidence for capture in stored] == captures
    assert set(stored[0].bodies.values()) == set(BODIES)
    assert stored[1].bodies == {}


def test_capture_older_than_evidence_hashes_has_none(databases: Databases) -> None:
    with databases.tampering() as connection:
        store(connection, capture(IDNO, capture_id=None), is_hashed=False)
        [stored] = load_evidence(connection, IDNO)
    assert stored.sha256 is None


def test_period_includes_its_start_and_excludes_its_end(databases: Databases) -> None:
    days = [FETCHED_AT + timedelta(days=number) for number in range(4)]
    with databases.tampering() as connection:
        for day in days:
            store(connection, unanswered(IDNO, fetched_at=day))
        period = Period(since=days[1], until=days[3])
        times = [stored.evidence.fetched_at for stored in load_evidence(connection, IDNO, period)]
        assert count_captures(connection, IDNO, period) == 2
    assert times == days[1:3]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE source_data SET outcome = 'not_found'", "does not match its hash"),
        (
            "UPDATE source_data SET fetched_at = fetched_at + interval '1 microsecond'",
            "does not match its hash",
        ),
        (
            """UPDATE source_data SET response_headers = response_headers || '{"x": "y"}'""",
            "does not match its hash",
        ),
        ("UPDATE source_data SET screenshot_sha256 = NULL", "does not match its hash"),
        ("DELETE FROM source_payloads WHERE position = 1", "does not match its hash"),
        (
            "UPDATE source_payloads SET url = 'https://elsewhere.md/' WHERE position = 1",
            "does not match its hash",
        ),
        (
            "INSERT INTO source_payloads SELECT id, 7, 'https://made.up/' FROM source_data",
            "does not match its hash",
        ),
        ("UPDATE source_data SET evidence_sha256 = NULL", "its hash is missing"),
        ("DELETE FROM raw_documents", "is missing"),
        *(
            (f"UPDATE raw_documents SET content = 'x'::bytea WHERE sha256 = '{sha256(body)}'", sha256(body))
            for body in (DOCUMENT, HTML, PNG, COMPANY)
        ),
    ],
)
def test_damage_is_detected_and_named(databases: Databases, damage: str, message: str) -> None:
    with databases.tampering() as connection:
        source_data_id = store(connection, capture(IDNO))
        assert len(list(load_evidence(connection, IDNO))) == 1
        connection.execute(text("ALTER TABLE raw_documents DROP CONSTRAINT raw_documents_hash_is_right"))
        connection.execute(text(damage))
        with pytest.raises(EvidenceDamaged, match=f"capture {source_data_id} of {IDNO}.*{message}"):
            list(load_evidence(connection, IDNO))


def test_captures_before_the_damaged_one_are_read(databases: Databases) -> None:
    with databases.tampering() as connection:
        store(connection, capture(IDNO))
        second = store(connection, capture(IDNO))
        connection.execute(text("UPDATE source_data SET run_id = 'x' WHERE id = :id"), {"id": second})
        stored = load_evidence(connection, IDNO)
        assert next(stored).sha256
        with pytest.raises(EvidenceDamaged, match=f"capture {second} "):
            next(stored)


def test_api_role_can_read_all_evidence(databases: Databases) -> None:
    idno = make_idno(3512)
    with databases.warehouse() as connection:
        store(connection, capture(idno))
    with databases.warehouse(database_roles.API) as connection:
        assert len(list(load_evidence(connection, idno))) == 1
