"""Response bodies of the audit log."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.audit.events import Event


class AuditEntry(BaseModel):
    """One security event: the actor, the subject (if it is another account), the time and the client."""

    model_config = ConfigDict(from_attributes=True)

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


class AuditPage(BaseModel):
    """One page of entries, newest first. `next` is the `before` of the next page; null on the last one."""

    entries: list[AuditEntry]
    next: int | None
