"""A company's record over time: the record as of a past time, the recorded changes, and their captures.

The record as of a time is what this platform would have answered at that time. It is today's record with all later
changes undone, whether the source or the parser caused them. It may differ from what was true of the company at that
time, because the source may have been visited late or misread. Two things are not undone: the order within lists,
because its changes are not recorded, and the rule that picks key figures from the lines of a statement.

Call each function in a REPEATABLE READ transaction, so that it reads one state of the tables.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, and_, exists, func, or_, select, tuple_

from warehouse.contract import Outcome
from warehouse.records.facts import load_facts
from warehouse.records.models import Cause, Change, CompanyFacts, CompanyProfile, StatementFigures
from warehouse.records.record_diff import undo_changes
from warehouse.schema.tables import company_changes, quarantine, source_data, transformed_data

_CAPTURES = select(
    source_data.c.id.label("source_data_id"),
    source_data.c.url,
    source_data.c.fetched_at,
    source_data.c.raw_html_sha256,
)


class CaptureReference(BaseModel):
    """A good capture: its time, its URL and the hash of its HTML."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    source_data_id: int
    url: str
    fetched_at: datetime
    raw_html_sha256: str


class PastSource(CaptureReference):
    """The newest good capture at a past time, and the transform version that had read this capture by that time."""

    transform_version: int | None = Field(
        description="The transform version that had read the record, or null if unknown: a version that reads the same"
        " facts as the one before records no change."
    )


class HistoricalRecord(CompanyProfile):
    """A company's record as this platform would have answered at the time `as_of`, with its source."""

    statements: tuple[StatementFigures, ...] = ()
    as_of: datetime
    source: PastSource


class RecordedChange(Change):
    """A change as stored, with its id. A later change of the same company has a larger id."""

    id: int


def load_first_recorded_at(connection: Connection, idno: str) -> datetime | None:
    """Return the time when a company's first record was stored, or None if it has no record."""
    query = select(transformed_data.c.first_transformed_at).where(transformed_data.c.idno == idno)
    return connection.execute(query).scalar()


def load_past_record(connection: Connection, idno: str, at: datetime) -> HistoricalRecord:
    """Return a company's record as of a time. The company must have had a record by then."""
    later = _changes_after(connection, idno, at)
    past = undo_changes(load_facts(connection, [idno])[idno], later)
    return HistoricalRecord(
        **{field: getattr(past, field) for field in CompanyProfile.model_fields},
        statements=_figures(past),
        as_of=at,
        source=_source(connection, idno, at, later[-1] if later else None),
    )


def load_changes(
    connection: Connection,
    idno: str,
    *,
    limit: int,
    cause: Cause | None = None,
    field: str | None = None,
    since: datetime | None = None,
    before_id: int | None = None,
) -> list[RecordedChange]:
    """Return recorded changes of a company's record, newest first.

    Args:
        connection: Reads the warehouse.
        idno: The company.
        limit: The maximum number of changes to return.
        cause: Only changes with this cause.
        field: Only changes of this field; `statements` selects the statements of all years.
        since: Only changes recorded at this time or later.
        before_id: Only changes with a smaller id, for paging.
    """
    change = company_changes.c
    query = select(company_changes).where(change.idno == idno).order_by(change.id.desc()).limit(limit)
    if cause is not None:
        query = query.where(change.cause == cause)
    if field == "statements":
        query = query.where(change.field.startswith("statements/"))
    elif field is not None:
        query = query.where(change.field == field)
    if since is not None:
        query = query.where(change.recorded_at >= since)
    if before_id is not None:
        query = query.where(change.id < before_id)
    return [RecordedChange.model_validate(row) for row in connection.execute(query)]


def _changes_after(connection: Connection, idno: str, at: datetime) -> list[RecordedChange]:
    """Return the changes to undo, newest first: the first change recorded after `at` and all with larger ids."""
    change = company_changes.c
    # The times of other changes are not compared: clocks differ, and undoing must not skip any newer change.
    first = select(func.min(change.id)).where(change.idno == idno, change.recorded_at > at).scalar_subquery()
    query = select(company_changes).where(change.idno == idno, change.id >= first).order_by(change.id.desc())
    return [RecordedChange.model_validate(row) for row in connection.execute(query)]


def _figures(facts: CompanyFacts) -> tuple[StatementFigures, ...]:
    return tuple(
        StatementFigures(
            year=statement.year,
            currency=statement.currency,
            document_type=statement.document_type,
            **statement.figures(),
        )
        for statement in facts.statements
    )


def _source(connection: Connection, idno: str, at: datetime, undone: RecordedChange | None) -> PastSource:
    """Return the source of the record as of `at`. `undone` is the first change after that time."""
    head = connection.execute(select(transformed_data).where(transformed_data.c.idno == idno)).one()
    if undone is None and head.transformed_at <= at:
        capture = _newest_capture(connection, at=head.fetched_at, not_after=head.source_data_id)
        return PastSource(**dict(capture), transform_version=head.transform_version)
    # The source just before the first undone change. If no change is undone, it is the source of today's record.
    last_id, last_version = (
        (undone.previous_source_data_id, undone.previous_version)
        if undone is not None
        else (head.source_data_id, head.transform_version)
    )
    before = load_changes(connection, idno, limit=1, before_id=undone.id if undone is not None else None)
    is_known = [change.transform_version for change in before] == [last_version]
    capture = _newest_capture(connection, at=at, not_after=last_id)
    return PastSource(**dict(capture), transform_version=last_version if is_known else None)


def _newest_capture(connection: Connection, *, at: datetime, not_after: int) -> CaptureReference:
    """Return the newest good capture from which the record may have been read by the time `at`.

    It is the capture with the id `not_after` or an older one. Captures that were in quarantine at that time are
    excluded.
    """
    capture, last = source_data.c, source_data.alias().c
    was_refused = exists().where(quarantine.c.source_data_id == capture.id, quarantine.c.first_tried_at <= at)
    query = (
        _CAPTURES.join(last.id.table, and_(last.id == not_after, last.idno == capture.idno))
        .where(
            tuple_(capture.fetched_at, capture.id) <= tuple_(last.fetched_at, last.id),
            or_(capture.id == not_after, and_(capture.outcome == Outcome.OK, ~was_refused)),
        )
        # Clocks differ, so all candidates may seem newer than `at`. Even then, the record was read from the newest
        # of them.
        .order_by(capture.fetched_at > at, capture.fetched_at.desc(), capture.id.desc())
        .limit(1)
    )
    return CaptureReference.model_validate(connection.execute(query).one())


def captures_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, CaptureReference]:
    """Return references to the captures with these ids, by id."""
    rows = connection.execute(_CAPTURES.where(source_data.c.id.in_(ids)))
    return {row.source_data_id: CaptureReference.model_validate(row) for row in rows}
