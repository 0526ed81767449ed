"""Reading the audit log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.events import Event
from api.users_tables import audit_log


async def read(
    connection: AsyncConnection, *, event: Event | None, user_id: UUID | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """Return entries, the newest first."""
    query = select(audit_log)
    if event is not None:
        query = query.where(audit_log.c.event == event)
    if user_id is not None:
        query = query.where(or_(audit_log.c.actor_id == user_id, audit_log.c.subject_id == user_id))
    if before is not None:
        query = query.where(audit_log.c.id < before)
    return (await connection.execute(query.order_by(audit_log.c.id.desc()).limit(limit))).all()
