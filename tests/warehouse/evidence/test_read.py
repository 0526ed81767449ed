"""Evidence that is read back: whole, in order, or named as damaged."""

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


def test_captures_come_oldest_first_with_their_bodies(databases: Databases) -> None:
    captures = [capture(IDNO), unanswered(IDNO)]
    with databases.tampering() as connection:
        ids = [store(connection, evidence) for evidence in captures]
        store(connection, capture(make_idno(3511)))
        held = list(load_evidence(connection, IDNO))
    assert [each.source_data_id for each in held] == ids
    assert [each.evidence for each in held] == captures
    assert set(held[0].bodies.values()) == set(BODIES)
    assert held[1].bodies == {}


def test_a_capture_from_before_there_were_hashes_is_read_and_has_none(databases: Databases) -> None:
    with databases.tampering() as connection:
        store(connection, capture(IDNO, capture_id=None), is_hashed=False)
        [held] = load_evidence(connection, IDNO)
    assert held.sha256 is None


def test_a_period_holds_its_beginning_and_not_its_end(databases: Databases) -> None:
    days = [FETCHED_AT + timedelta(days=number) for number in range(4)]
    with databases.tampering() as connection:
        for day in days:
            store(connection, unanswered(IDNO, fetched_at=day))
        period = Period(since=days[1], until=days[3])
        held = [each.evidence.fetched_at for each in load_evidence(connection, IDNO, period)]
        assert count_captures(connection, IDNO, period) == 2
    assert held == days[1:3]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE source_data SET outcome = 'not_found'", "not what was hashed"),
        ("UPDATE source_data SET fetched_at = fetched_at + interval '1 microsecond'", "not what was hashed"),
        (
            """UPDATE source_data SET response_headers = response_headers || '{"x": "y"}'""",
            "not what was hashed",
        ),
        ("UPDATE source_data SET screenshot_sha256 = NULL", "not what was hashed"),
        ("DELETE FROM source_payloads WHERE position = 1", "not what was hashed"),
        (
            "UPDATE source_payloads SET url = 'https://elsewhere.md/' WHERE position = 1",
            "not what was hashed",
        ),
        (
            "INSERT INTO source_payloads SELECT id, 7, 'https://made.up/' FROM source_data",
            "not what was hashed",
        ),
        ("UPDATE source_data SET evidence_sha256 = NULL", "its hash is gone"),
        ("DELETE FROM raw_documents", "is gone"),
        *(
            (f"UPDATE raw_documents SET content = 'x'::bytea WHERE sha256 = '{sha256(body)}'", sha256(body))
            for body in (DOCUMENT, HTML, PNG, COMPANY)
        ),
    ],
)
def test_damage_is_found_and_named(databases: Databases, damage: str, said: str) -> None:
    with databases.tampering() as connection:
        source_data_id = store(connection, capture(IDNO))
        assert len(list(load_evidence(connection, IDNO))) == 1
        connection.execute(text("ALTER TABLE raw_documents DROP CONSTRAINT raw_documents_hash_is_right"))
        connection.execute(text(damage))
        with pytest.raises(EvidenceDamaged, match=f"capture {source_data_id} of {IDNO}.*{said}"):
            list(load_evidence(connection, IDNO))


def test_captures_are_read_one_by_one_up_to_the_damaged_one(databases: Databases) -> None:
    with databases.tampering() as connection:
        store(connection, capture(IDNO))
        second = store(connection, capture(IDNO))
        connection.execute(text("UPDATE source_data SET run_id = 'x' WHERE id = :id"), {"id": second})
        held = load_evidence(connection, IDNO)
        assert next(held).sha256
        with pytest.raises(EvidenceDamaged, match=f"capture {second} "):
            next(held)


def test_the_role_that_reads_for_the_api_may_read_it_all(databases: Databases) -> None:
    idno = make_idno(3512)
    with databases.warehouse() as connection:
        store(connection, capture(idno))
    with databases.warehouse(database_roles.API) as connection:
        assert len(list(load_evidence(connection, idno))) == 1
