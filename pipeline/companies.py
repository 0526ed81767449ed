"""Stored captures into current records: reads evidence, transforms it, writes the companies' tables."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.transform import TRANSFORM_VERSION
from pipeline.transform.merge import Transformed, transform
from warehouse.contract import Outcome
from warehouse.evidence import EvidenceDamaged
from warehouse.records import Party, Relation
from warehouse.tables import company_parties, raw_documents, source_data, source_payloads, transformed_data


@dataclass(frozen=True)
class StoredCapture:
    """A good capture, as the audit trail holds it."""

    source_data_id: int
    idno: str
    fetched_at: datetime
    raw_html_sha256: str


def captures_of_runs(connection: Connection, run_ids: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each company that these runs visited."""
    return _newest(connection, source_data.c.run_id.in_(run_ids))


def captures_of_companies(connection: Connection, idnos: Collection[str]) -> list[StoredCapture]:
    """Return the newest good capture of each of these companies; one without any is left out."""
    return _newest(connection, source_data.c.idno.in_(idnos))


def stored_capture(connection: Connection, source_data_id: int) -> StoredCapture | None:
    """Return a capture if it is a good one."""
    found = _newest(connection, source_data.c.id == source_data_id)
    return found[0] if found else None


def is_current(connection: Connection, capture: StoredCapture) -> bool:
    """Tell whether the company's record is this capture's, as this version reads it."""
    query = select(transformed_data.c.idno).where(
        transformed_data.c.idno == capture.idno,
        transformed_data.c.source_data_id == capture.source_data_id,
        transformed_data.c.transform_version == TRANSFORM_VERSION,
    )
    return connection.scalar(query) is not None


def _newest(connection: Connection, condition: object) -> list[StoredCapture]:
    rows = connection.execute(
        select(source_data.c.id, source_data.c.idno, source_data.c.fetched_at, source_data.c.raw_html_sha256)
        .where(condition, source_data.c.outcome == Outcome.OK)  # type: ignore[arg-type]
        .order_by(source_data.c.idno, source_data.c.id.desc())
        .distinct(source_data.c.idno)
    )
    return [StoredCapture(row.id, row.idno, row.fetched_at, row.raw_html_sha256) for row in rows]


def transform_capture(connection: Connection, capture: StoredCapture) -> Transformed:
    """Read a capture's evidence and transform it. Raises NotThisCompany, EvidenceDamaged."""
    html = _body(connection, capture.raw_html_sha256).decode("utf-8")
    hashes = connection.scalars(
        select(source_payloads.c.sha256)
        .where(
            source_payloads.c.source_data_id == capture.source_data_id,
            source_payloads.c.sha256.is_not(None),
        )
        .order_by(source_payloads.c.position)
    ).all()
    return transform(idno=capture.idno, html=html, bodies=[_body(connection, sha256) for sha256 in hashes])


def _body(connection: Connection, sha256: str) -> bytes:
    content = bytes(
        connection.execute(
            select(raw_documents.c.content).where(raw_documents.c.sha256 == sha256)
        ).scalar_one()
    )
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EvidenceDamaged(f"the body stored as {sha256} has another hash")
    return content


def store_company(connection: Connection, capture: StoredCapture, transformed: Transformed) -> bool:
    """Make this the company's current record, unless one of a newer capture is; tell whether it became so."""
    facts = transformed.facts
    values = {
        "idno": facts.idno,
        "name": facts.name,
        "legal_form": facts.legal_form,
        "status": facts.status,
        "registered_on": facts.registered_on,
        "address": facts.address,
        "disagreements": transformed.disagreements,
        "source_data_id": capture.source_data_id,
        "fetched_at": capture.fetched_at,
        "transform_version": TRANSFORM_VERSION,
        "transformed_at": datetime.now(UTC),
    }
    statement = upsert(transformed_data).values(values)
    stored = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[transformed_data.c.idno],
            set_={name: statement.excluded[name] for name in values if name != "idno"},
            where=transformed_data.c.fetched_at <= statement.excluded.fetched_at,
        ).returning(transformed_data.c.idno)
    ).one_or_none()
    if stored is None:
        return False
    _store_parties(connection, capture, transformed)
    return True


def _store_parties(connection: Connection, capture: StoredCapture, transformed: Transformed) -> None:
    facts = transformed.facts
    connection.execute(delete(company_parties).where(company_parties.c.idno == facts.idno))
    rows = [
        _party_row(capture, relation, position, party)
        for relation, parties in (
            (Relation.FOUNDER, facts.founders),
            (Relation.ADMINISTRATOR, facts.administrators),
        )
        for position, party in enumerate(parties)
    ]
    if rows:
        connection.execute(insert(company_parties), rows)


def _party_row(capture: StoredCapture, relation: Relation, position: int, party: Party) -> dict[str, object]:
    return {
        "idno": capture.idno,
        "relation": relation,
        "position": position,
        "name": party.name,
        "kind": party.kind,
        "share": party.share,
        "role": party.role,
        "party_idno": party.idno,
        "source_id": party.source_id,
        "source_data_id": capture.source_data_id,
        "transform_version": TRANSFORM_VERSION,
    }
