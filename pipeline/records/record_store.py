"""The tables of companies' records: heads, companion rows and history, written for many companies at a time."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.records.capture_store import StoredCapture
from pipeline.transform import version
from pipeline.transform.carry_forward import ResolvedFacts
from pipeline.transform.source_text import fold
from warehouse.records.bulk_copy import copy_rows
from warehouse.records.models import (
    KEY_FIGURES,
    Activity,
    AddressParts,
    Cause,
    CompanyFacts,
    Cuatm,
    Party,
    Relation,
    Statement,
)
from warehouse.records.record_diff import Difference
from warehouse.schema.tables import (
    company_activities,
    company_changes,
    company_parties,
    financial_lines,
    financial_statements,
    transformed_data,
)

_ORIGIN = ("source_data_id", "transform_version")
_PARTY_COLUMNS = (
    *("idno", "relation", "position", "name", "kind", "share", "role", "party_idno", "source_id", "remark"),
    *_ORIGIN,
)
_ACTIVITY_COLUMNS = ("idno", "is_licensed", "position", "name", "code", *_ORIGIN)
_STATEMENT_COLUMNS = ("idno", "year", "currency", "document_type", "cuiio", *KEY_FIGURES, *_ORIGIN)
_LINE_COLUMNS = ("idno", "year", "form", "row", "value", "label", *_ORIGIN)


@dataclass(frozen=True)
class Head:
    """The part of a record's head that updates need: its capture, its transform version, and the hash of its facts."""

    source_data_id: int
    fetched_at: datetime
    transform_version: int
    facts_sha256: str | None


@dataclass(frozen=True)
class ChangeEntry:
    """An entry for the history of a company: a difference, its cause, and the two captures.

    The transform version `version` read `capture`; `previous_version` read the previous capture.
    """

    difference: Difference
    cause: Cause
    capture: StoredCapture
    version: int
    previous_source_data_id: int
    previous_version: int


@dataclass(frozen=True)
class RecordUpdate:
    """A company's new record, with its differences from the present record.

    If the company has no present record, `is_new` is true and there are no differences. `history` contains the changes
    to store.
    """

    capture: StoredCapture
    resolved: ResolvedFacts
    facts_sha256: str
    is_new: bool
    differences: tuple[Difference, ...]
    history: tuple[ChangeEntry, ...]

    @property
    def changed_fields(self) -> frozenset[str]:
        """The fields that differ from the present record."""
        return frozenset(difference.field for difference in self.differences)


def load_heads(connection: Connection, idnos: Sequence[str]) -> dict[str, Head]:
    """Return the heads of these companies' records by IDNO. A company without a record is left out."""
    record = transformed_data.c
    rows = connection.execute(
        select(
            record.idno,
            record.source_data_id,
            record.fetched_at,
            record.transform_version,
            record.facts_sha256,
        ).where(record.idno.in_(idnos))
    )
    return {
        row.idno: Head(row.source_data_id, row.fetched_at, row.transform_version, row.facts_sha256)
        for row in rows
    }


def facts_sha256(facts: CompanyFacts) -> str:
    """Return the SHA-256 of all facts in a record."""
    return hashlib.sha256(facts.model_dump_json().encode()).hexdigest()


def store_records(connection: Connection, records: Sequence[RecordUpdate]) -> None:
    """Store records: their heads, the companion rows that changed, and the history."""
    if not records:
        return
    _store_heads(connection, records)
    _store_parties(connection, records)
    _store_activities(connection, records)
    _store_statements(connection, records)
    history = [_change_row(entry) for record in records for entry in record.history]
    if history:
        connection.execute(insert(company_changes), history)


def _store_heads(connection: Connection, records: Sequence[RecordUpdate]) -> None:
    now = datetime.now(UTC)
    statement = upsert(transformed_data)
    kept = ("idno", "first_transformed_at")
    written = [column.name for column in transformed_data.columns if column.name not in kept]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[transformed_data.c.idno],
            set_={name: statement.excluded[name] for name in written},
        ),
        [_head_row(record, now) for record in records],
    )


def _head_row(record: RecordUpdate, now: datetime) -> dict[str, object]:
    facts, resolved = record.resolved.facts, record.resolved
    parts, cuatm = facts.address_parts or AddressParts(), facts.cuatm or Cuatm()
    return {
        "idno": facts.idno,
        "name": facts.name,
        "name_folded": fold(facts.name),
        "legal_form": facts.legal_form,
        "legal_form_name": facts.legal_form_name,
        "status": facts.status,
        "registered_on": facts.registered_on,
        "address": facts.address,
        **{f"address_{part}": value for part, value in parts},
        **{f"cuatm_{part}": value for part, value in cuatm},
        "disagreements": resolved.disagreements,
        "sources": {field: source.model_dump() for field, source in resolved.sources.items()},
        "unknown": list(resolved.unknown),
        "notes": list(resolved.notes),
        "remarks": facts.remarks,
        "unread": [asdict(text) for text in resolved.unread],
        "incomplete": list(facts.incomplete_lists),
        "facts_sha256": record.facts_sha256,
        "source_data_id": record.capture.source_data_id,
        "fetched_at": record.capture.fetched_at,
        "transform_version": version.TRANSFORM_VERSION,
        "transformed_at": now,
        "first_transformed_at": now,
    }


def _source(record: RecordUpdate, field: str) -> tuple[int, int]:
    """Return the `source_data_id` and the `transform_version` to store in the companion rows of a field."""
    source = record.resolved.sources.get(field)
    return source.source_data_id if source else record.capture.source_data_id, version.TRANSFORM_VERSION


def _store_parties(connection: Connection, records: Sequence[RecordUpdate]) -> None:
    fields = {"founders": Relation.FOUNDER, "administrators": Relation.ADMINISTRATOR}
    changed = [record for record in records if record.is_new or record.changed_fields & fields.keys()]
    _clear(connection, company_parties, changed)
    copy_rows(
        connection,
        company_parties,
        _PARTY_COLUMNS,
        (
            (record.capture.idno, relation, position, *_party(party), *_source(record, field))
            for record in changed
            for field, relation in fields.items()
            for position, party in enumerate(getattr(record.resolved.facts, field))
        ),
    )


def _party(party: Party) -> tuple[object, ...]:
    return (
        *(party.name, party.kind, party.share, party.role, party.idno, party.source_id),
        party.remark,
    )


def _store_activities(connection: Connection, records: Sequence[RecordUpdate]) -> None:
    fields = {"licensed_activities": True, "unlicensed_activities": False}
    changed = [record for record in records if record.is_new or record.changed_fields & fields.keys()]
    _clear(connection, company_activities, changed)
    copy_rows(
        connection,
        company_activities,
        _ACTIVITY_COLUMNS,
        (
            (record.capture.idno, is_licensed, position, *_activity(activity), *_source(record, field))
            for record in changed
            for field, is_licensed in fields.items()
            for position, activity in enumerate(getattr(record.resolved.facts, field))
        ),
    )


def _activity(activity: Activity) -> tuple[str, str | None]:
    return activity.name, activity.code


def _clear(connection: Connection, table: Table, records: Sequence[RecordUpdate]) -> None:
    idnos = [record.capture.idno for record in records if not record.is_new]
    if idnos:
        connection.execute(delete(table).where(table.c.idno.in_(idnos)))


def _store_statements(connection: Connection, records: Sequence[RecordUpdate]) -> None:
    """Write the statements of the years that changed. The rows of other years stay as they are."""
    changed = [
        (record.capture.idno, int(field.partition("/")[2]))
        for record in records
        for field in record.changed_fields
        if "/" in field
    ]
    for table in (financial_lines, financial_statements):
        _clear_years(connection, table, changed)
    written = [
        (record, statement)
        for record in records
        for statement in record.resolved.facts.statements
        if record.is_new or f"statements/{statement.year}" in record.changed_fields
    ]
    copy_rows(connection, financial_statements, _STATEMENT_COLUMNS, (_statement(*pair) for pair in written))
    copy_rows(
        connection,
        financial_lines,
        _LINE_COLUMNS,
        (row for pair in written for row in _statement_lines(*pair)),
    )


def _clear_years(connection: Connection, table: Table, years: Sequence[tuple[str, int]]) -> None:
    if years:
        connection.execute(delete(table).where(tuple_(table.c.idno, table.c.year).in_(years)))


def _statement(record: RecordUpdate, statement: Statement) -> tuple[object, ...]:
    figures = statement.figures()
    return (
        *(record.capture.idno, statement.year, statement.currency, statement.document_type, statement.cuiio),
        *(figures.get(name) for name in KEY_FIGURES),
        *_source(record, f"statements/{statement.year}"),
    )


def _statement_lines(record: RecordUpdate, statement: Statement) -> Iterable[tuple[object, ...]]:
    source = _source(record, f"statements/{statement.year}")
    for line in statement.lines:
        yield (
            *(record.capture.idno, statement.year, line.form, line.row, line.value, line.label),
            *source,
        )


def _change_row(entry: ChangeEntry) -> dict[str, object]:
    return {
        "idno": entry.capture.idno,
        **asdict(entry.difference),
        "cause": entry.cause,
        "observed_at": entry.capture.fetched_at,
        "recorded_at": datetime.now(UTC),
        "source_data_id": entry.capture.source_data_id,
        "transform_version": entry.version,
        "previous_source_data_id": entry.previous_source_data_id,
        "previous_version": entry.previous_version,
    }
