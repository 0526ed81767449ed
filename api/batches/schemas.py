"""Request and response bodies of the endpoints below /scrape/batch/."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue

from api.batches.verdicts import ItemVerdict
from api.scrape.schemas import CompanyState
from api.scrape.states import ScrapeState
from warehouse.records.models import CompanyRecord

MAX_ITEMS = 1000


class BatchRequest(BaseModel):
    """A request for many companies. Invalid items are listed in the answer; the others are fetched."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"idnos": ["1003600069773"]}]})

    idnos: list[JsonValue] = Field(
        min_length=1, max_length=MAX_ITEMS, description=f"IDNOs as text, 1 to {MAX_ITEMS}"
    )
    force_refresh: bool = Field(
        default=False,
        validation_alias=AliasChoices("force_refresh", "forced_refresh"),
        description="Visit the source even for companies with a fresh record",
    )


class BatchItem(BaseModel):
    """An item with its verdict. `given` is the start of the item as sent; `data` is the record of a `cached` item."""

    position: int
    given: str
    idno: str | None
    verdict: ItemVerdict
    reason: str | None
    data: CompanyRecord | None = None


class BatchAnswer(BaseModel):
    """A batch, with the verdict on each item and the number of items for each verdict."""

    batch_id: UUID
    status_url: str
    counts: dict[ItemVerdict, int]
    items: list[BatchItem]


class BatchState(StrEnum):
    """The state of a batch."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BatchCompany(CompanyState):
    """The state of a company in a batch, with the run that fetches it; a `cached` company has no run."""

    verdict: ItemVerdict
    run_id: str | None


class BatchStatus(BaseModel):
    """The status of a batch: the number of companies in each state, and each company."""

    batch_id: UUID
    state: BatchState
    counts: dict[ScrapeState, int]
    companies: list[BatchCompany]
    created_at: datetime
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state is not BatchState.RUNNING
