"""What the audit log shows."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.audit.events import Event


class AuditEntry(BaseModel):
    """Who (actor) did what (event) to whom (subject, where that is another), when and from where."""

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
    """Entries, the newest first; `next` is where the older ones go on."""

    entries: list[AuditEntry]
    next: int | None
