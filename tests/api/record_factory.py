"""Records of companies that tests write capture by capture, at chosen times."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from tests.api.api_harness import add_capture
from warehouse.contract import Outcome
from warehouse.folding import fold
from warehouse.records.facts import load_facts
from warehouse.records.models import (
    Activity,
    AddressParts,
    Cause,
    CompanyFacts,
    Cuatm,
    Party,
    QuarantineReason,
    Relation,
    Statement,
)
from warehouse.records.record_diff import differences
from warehouse.schema.tables import (
    company_activities,
    company_changes,
    company_parties,
    financial_lines,
    financial_statements,
    quarantine,
    transformed_data,
)


def add_visit(
    connection: Connection, idno: str, *, at: datetime, outcome: Outcome = Outcome.OK, run_id: str = ""
) -> int:
    """Store the capture of a visit; return its id."""
    return add_capture(connection, run_id or str(uuid4()), idno, outcome, at=at)


def store_record(
    connection: Connection,
    facts: CompanyFacts,
    *,
    at: datetime,
    capture_id: int | None = None,
    fetched_at: datetime | None = None,
    version: int = 1,
    cause: Cause = Cause.SOURCE,
    **columns: Any,
) -> int:
    """Store facts as a company's record; return the id of its capture.

    Differences to the record before are stored as changes.

    Args:
        connection: A connection to the warehouse.
        facts: The facts of the company.
        at: When the record is stored.
        capture_id: The capture of the facts; without it, one is made.
        fetched_at: When the capture was made; by default `at`.
        version: The transform version.
        cause: The cause of the changes.
        columns: Further columns of the head.
    """
    fetched_at = fetched_at or at
    if capture_id is None:
        capture_id = add_visit(connection, facts.idno, at=fetched_at)
    source = {"source_data_id": capture_id, "transform_version": version}
    _write_changes(connection, facts, source, cause=cause, observed_at=fetched_at, at=at)
    _write_head(connection, facts, {**source, "fetched_at": fetched_at, "transformed_at": at, **columns}, at)
    for table in (company_parties, company_activities, financial_lines, financial_statements):
        connection.execute(delete(table).where(table.c.idno == facts.idno))
    _write_lists(connection, facts, source)
    for statement in facts.statements:
        _write_statement(connection, facts.idno, statement, source)
    return capture_id


def quarantine_capture(connection: Connection, idno: str, capture_id: int, *, at: datetime) -> None:
    """Put a capture into quarantine."""
    connection.execute(
        insert(quarantine).values(
            source_data_id=capture_id,
            idno=idno,
            reason=QuarantineReason.NOT_READABLE,
            detail="it says nothing",
            raw_html_sha256="0" * 64,
            transform_version=1,
            tries=1,
            first_tried_at=at,
            last_tried_at=at,
        )
    )


def _write_changes(
    connection: Connection,
    facts: CompanyFacts,
    source: Mapping[str, int],
    *,
    cause: Cause,
    observed_at: datetime,
    at: datetime,
) -> None:
    previous_facts = load_facts(connection, [facts.idno]).get(facts.idno)
    if previous_facts is None:
        return
    query = select(transformed_data).where(transformed_data.c.idno == facts.idno)
    before = connection.execute(query).one()
    for difference in differences(previous_facts, facts):
        connection.execute(
            insert(company_changes).values(
                idno=facts.idno,
                field=difference.field,
                old=difference.old,
                new=difference.new,
                cause=cause,
                observed_at=observed_at,
                recorded_at=at,
                previous_source_data_id=before.source_data_id,
                previous_version=before.transform_version,
                **source,
            )
        )


def _write_head(connection: Connection, facts: CompanyFacts, source: Mapping[str, Any], at: datetime) -> None:
    parts, cuatm = facts.address_parts or AddressParts(), facts.cuatm or Cuatm()
    single = ("idno", "name", "legal_form", "legal_form_name", "status", "registered_on", "address")
    row = {
        **{field: getattr(facts, field) for field in single},
        **{f"address_{part}": value for part, value in parts},
        **{f"cuatm_{part}": value for part, value in cuatm},
        "name_folded": fold(facts.name),
        "disagreements": {},
        "sources": {},
        "unknown": [],
        "notes": [],
        "remarks": facts.remarks,
        "unread": [],
        "incomplete": list(facts.incomplete_lists),
        **source,
    }
    connection.execute(
        upsert(transformed_data)
        .values(**row, first_transformed_at=at)
        .on_conflict_do_update(index_elements=[transformed_data.c.idno], set_=row)
    )


def _write_lists(connection: Connection, facts: CompanyFacts, source: Mapping[str, int]) -> None:
    parties: dict[Relation, tuple[Party, ...]] = {
        Relation.FOUNDER: facts.founders,
        Relation.ADMINISTRATOR: facts.administrators,
    }
    for relation, listed in parties.items():
        for position, party in enumerate(listed):
            row = party.model_dump()
            row["party_idno"] = row.pop("idno")
            values = {"idno": facts.idno, "relation": relation, "position": position, **row, **source}
            connection.execute(insert(company_parties).values(values))
    activities: dict[bool, tuple[Activity, ...]] = {
        True: facts.licensed_activities,
        False: facts.unlicensed_activities,
    }
    for is_licensed, lines in activities.items():
        for position, activity in enumerate(lines):
            where = {"idno": facts.idno, "is_licensed": is_licensed, "position": position}
            connection.execute(insert(company_activities).values(**where, **activity.model_dump(), **source))


def _write_statement(
    connection: Connection, idno: str, statement: Statement, source: Mapping[str, int]
) -> None:
    key = {"idno": idno, "year": statement.year}
    head = {
        "currency": statement.currency,
        "document_type": statement.document_type,
        "cuiio": statement.cuiio,
    }
    connection.execute(insert(financial_statements).values(**key, **head, **statement.figures(), **source))
    for line in statement.lines:
        connection.execute(insert(financial_lines).values(**key, **line._asdict(), **source))
