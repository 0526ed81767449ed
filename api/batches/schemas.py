"""What a batch takes and gives."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue

from api.batches.verdicts import ItemVerdict
from api.scrape.schemas import CompanyState
from api.scrape.states import ScrapeState
from warehouse.records.models import CompanyRecord

MOST_ITEMS = 1000


class BatchRequest(BaseModel):
    """Ask for many companies. An item that is no IDNO is named in the answer; the others are fetched."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"idnos": ["1003600069773"]}]})

    idnos: list[JsonValue] = Field(
        min_length=1, max_length=MOST_ITEMS, description=f"IDNOs as text, 1 to {MOST_ITEMS}"
    )
    force_refresh: bool = Field(
        default=False,
        validation_alias=AliasChoices("force_refresh", "forced_refresh"),
        description="Visit the source even where a fresh record is held",
    )


class BatchItem(BaseModel):
    """What becomes of one item: `given` as it came (shortened), and the record of one that is `cached`."""

    position: int
    given: str
    idno: str | None
    verdict: ItemVerdict
    reason: str | None
    data: CompanyRecord | None = None


class BatchAnswer(BaseModel):
    """A batch that is being fetched (or all that it asked for is held), with how many items got which verdict."""

    batch_id: UUID
    status_url: str
    counts: dict[ItemVerdict, int]
    items: list[BatchItem]


class BatchState(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BatchCompany(CompanyState):
    """Where one company of a batch stands, and the run that fetches it or did; none where a record was held."""

    verdict: ItemVerdict
    run_id: str | None


class BatchStatus(BaseModel):
    """Where a batch stands: how many companies are in which state, and each of them."""

    batch_id: UUID
    state: BatchState
    counts: dict[ScrapeState, int]
    companies: list[BatchCompany]
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self.state is not BatchState.RUNNING
