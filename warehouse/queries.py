"""Queries that both sides need, as functions of a connection."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from warehouse.contract import Outcome
from warehouse.records import CompanyOutcome, CompanyRecord, Party, Provenance, Relation
from warehouse.tables import company_parties, source_data, transformed_data


def load_record(connection: Connection, idno: str) -> CompanyRecord | None:
    """Return the current record of a company, None where there is none."""
    row = (
        connection.execute(
            select(
                transformed_data,
                source_data.c.url,
                source_data.c.final_url,
                source_data.c.status_code,
                source_data.c.raw_html_sha256,
                source_data.c.run_id,
            )
            .join(source_data, source_data.c.id == transformed_data.c.source_data_id)
            .where(transformed_data.c.idno == idno)
        )
        .mappings()
        .one_or_none()
    )
    return _record(row, _parties(connection, idno)) if row else None


def load_outcomes(connection: Connection, run_id: str) -> list[CompanyOutcome]:
    """Return what became of each company that a run visited; of several visits the last."""
    rows = connection.execute(
        select(source_data.c.idno, source_data.c.outcome, source_data.c.error)
        .where(source_data.c.run_id == run_id)
        .order_by(source_data.c.idno, source_data.c.id.desc())
        .distinct(source_data.c.idno)
    )
    return [CompanyOutcome(idno=row.idno, outcome=Outcome(row.outcome), error=row.error) for row in rows]


def is_transformed_since(connection: Connection, idno: str, run_id: str) -> bool:
    """Tell whether a company's record comes from this run's capture of it, or from a newer one."""
    captured: datetime | None = connection.scalar(
        select(source_data.c.fetched_at)
        .where(
            source_data.c.run_id == run_id, source_data.c.idno == idno, source_data.c.outcome == Outcome.OK
        )
        .order_by(source_data.c.id.desc())
        .limit(1)
    )
    stored: datetime | None = connection.scalar(
        select(transformed_data.c.fetched_at).where(transformed_data.c.idno == idno)
    )
    return captured is not None and stored is not None and stored >= captured


def _parties(connection: Connection, idno: str) -> list[tuple[Relation, Party]]:
    rows = connection.execute(
        select(company_parties)
        .where(company_parties.c.idno == idno)
        .order_by(company_parties.c.relation, company_parties.c.position)
    )
    return [
        (
            Relation(row.relation),
            Party(
                name=row.name,
                kind=row.kind,
                share=row.share,
                role=row.role,
                idno=row.party_idno,
                source_id=row.source_id,
            ),
        )
        for row in rows
    ]


def _record(row: RowMapping, parties: Sequence[tuple[Relation, Party]]) -> CompanyRecord:
    return CompanyRecord(
        **{
            field: row[field]
            for field in ("idno", "name", "legal_form", "status", "registered_on", "address")
        },
        founders=tuple(party for relation, party in parties if relation is Relation.FOUNDER),
        administrators=tuple(party for relation, party in parties if relation is Relation.ADMINISTRATOR),
        source=Provenance.model_validate({field: row[field] for field in Provenance.model_fields}),
    )
