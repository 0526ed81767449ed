"""SQL that reads the audit log."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.events import Event
from api.users_tables import audit_log


@dataclass(frozen=True)
class RecordedEvent:
    """An event as recorded: a row of the table `audit_log`."""

    id: int
    at: datetime
    event: Event
    actor_id: UUID | None
    actor: str | None
    subject_id: UUID | None
    subject: str | None
    address: str | None
    user_agent: str | None
    detail: str | None


async def read(
    connection: AsyncConnection, *, event: Event | None, user_id: UUID | None, before: int | None, limit: int
) -> list[RecordedEvent]:
    """Return events, newest first.

    Args:
        connection: A connection to the database.
        event: Only events of this kind; None for all.
        user_id: Only events that this account caused or was the subject of; None for all.
        before: Only events with a smaller id; None for all.
        limit: The maximum number of events.
    """
    query = select(audit_log)
    if event is not None:
        query = query.where(audit_log.c.event == event)
    if user_id is not None:
        query = query.where(or_(audit_log.c.actor_id == user_id, audit_log.c.subject_id == user_id))
    if before is not None:
        query = query.where(audit_log.c.id < before)
    rows = await connection.execute(query.order_by(audit_log.c.id.desc()).limit(limit))
    return [
        RecordedEvent(
            id=row.id,
            at=row.at,
            event=Event(row.event),
            actor_id=row.actor_id,
            actor=row.actor,
            subject_id=row.subject_id,
            subject=row.subject,
            address=row.address,
            user_agent=row.user_agent,
            detail=row.detail,
        )
        for row in rows
    ]
