"""`registru explain`: how each field of a company's record came about, read in a role that can only read."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from api.companies.repository import load_provenance
from api.companies.schemas import FieldSource, RecordProvenance
from stack import postgres
from stack.home import Home, RunningPlatform
from stack.printable import printable
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.records.models import CompanyRecord, Provenance, UnreadText
from warehouse.records.queries import load_record
from warehouse.records.record_diff import FIELDS
from warehouse.schema import database_roles
from warehouse.schema.revision_check import SchemaMismatch, check_schema
from warehouse.schema.tables import quarantine, source_data


class FieldExplanation(BaseModel):
    """How one field of a record came about.

    `value` is the field's value as JSON; None or an empty list if the record has none. `source` is None if no value was
    read. `is_earlier` tells whether the value comes from an earlier capture than the record. `disagreement` holds the
    values of both readings if they contradict each other.
    """

    model_config = ConfigDict(frozen=True)

    field: str
    value: Any
    source: FieldSource | None = None
    is_earlier: bool = False
    remarks: tuple[str, ...] = ()
    unread: tuple[UnreadText, ...] = ()
    is_incomplete: bool = False
    disagreement: Any = None


class Explanation(BaseModel):
    """How a company's record came about, field by field, with the anomalies of its capture."""

    model_config = ConfigDict(frozen=True)

    idno: str
    source: Provenance
    fields: tuple[FieldExplanation, ...]
    notes: tuple[str, ...]
    unknown: tuple[str, ...]


def explain(home: Home, idno: str) -> Explanation:
    """Explain the current record of a company.

    Raises:
        StackError: The platform does not run, its tables are older than this version, or there is no record. The
            message then tells how the newest visit ended.
    """
    url = postgres.url(
        RunningPlatform.of(home).ports["postgres"],
        load_or_create(home.secrets),
        role=database_roles.API,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    # With REPEATABLE READ, all queries see one state of the record.
    engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            check_schema(connection, database=database_roles.WAREHOUSE_DATABASE, may_be_newer=True)
            record, provenance = load_record(connection, idno), load_provenance(connection, idno)
            if record is None or provenance is None:
                raise StackError(f"{idno} has no record: {_why_no_record(connection, idno)}")
            return explanation_of(record, provenance)
    except SchemaMismatch as error:
        raise StackError(str(error)) from error
    except OperationalError as error:
        raise StackError(f"the warehouse cannot be reached: {error.orig}") from error


def _why_no_record(connection: Connection, idno: str) -> str:
    capture, refused = source_data.c, quarantine.c
    newest = connection.execute(
        select(capture.outcome, capture.error, capture.fetched_at, refused.reason, refused.detail)
        .outerjoin(quarantine, refused.source_data_id == capture.id)
        .where(capture.idno == idno)
        .order_by(capture.id.desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return f"no visit is stored; request the company with `registru scrape {idno}`"
    why = f"its newest visit, at {_moment(newest.fetched_at)}, ended as {newest.outcome}"
    if newest.error:
        why += f" ({printable(newest.error)})"
    if newest.reason:
        why += f", and its capture is in quarantine: {newest.reason}: {printable(newest.detail)}"
    return why


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def explanation_of(record: CompanyRecord, provenance: RecordProvenance) -> Explanation:
    """Combine a record and its provenance: first the fields of the record, then others with unread texts."""
    values: dict[str, Any] = record.model_dump(mode="json", include=set(FIELDS))
    fields = {field: values[field] for field in FIELDS}
    for statement in record.statements:
        fields[f"statements/{statement.year}"] = statement.model_dump(mode="json", exclude_none=True)
    others = (
        *(unread.field for unread in provenance.unread),
        *provenance.remarks,
        *provenance.disagreements,
        *provenance.incomplete_lists,
    )
    fields |= {field: None for field in others if field not in fields}
    return Explanation(
        idno=record.idno,
        source=record.source,
        fields=tuple(_field(field, value, provenance) for field, value in fields.items()),
        notes=tuple(provenance.notes),
        unknown=tuple(provenance.unknown),
    )


def _field(field: str, value: Any, provenance: RecordProvenance) -> FieldExplanation:
    source = provenance.fields.get(field)
    return FieldExplanation(
        field=field,
        value=value,
        source=source,
        is_earlier=source is not None and source.source_data_id != provenance.source.source_data_id,
        remarks=provenance.remarks.get(field, ()),
        unread=tuple(_of_field(provenance.unread, field)),
        is_incomplete=field in provenance.incomplete_lists,
        disagreement=provenance.disagreements.get(field),
    )


def _of_field(unread: Iterable[UnreadText], field: str) -> Iterable[UnreadText]:
    return (text for text in unread if text.field == field)
