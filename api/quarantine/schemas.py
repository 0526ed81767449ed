"""Response body of the endpoint below /quarantine/."""

from pydantic import BaseModel, Field

from warehouse.records.models import QuarantinedCapture


class QuarantinePage(BaseModel):
    """Captures, the most recently tried first. `next` is the `after` of the next page; null on the last page."""

    captures: list[QuarantinedCapture]
    total: int = Field(description="Number of all captures in quarantine")
    next: str | None
