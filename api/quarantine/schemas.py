"""What the quarantine shows."""

from pydantic import BaseModel, Field

from warehouse.records.models import QuarantinedCapture


class QuarantinePage(BaseModel):
    """Captures, the one tried last first; `next` is the `after` with which the others go on, null at the end."""

    captures: list[QuarantinedCapture]
    total: int = Field(description="How many are in quarantine in all")
    next: str | None
