"""What a request for a company takes and gives."""

from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from api.scrape.states import OPEN_STATES, ScrapeState
from warehouse.contract import Outcome
from warehouse.idno import Idno
from warehouse.records.models import CompanyRecord


class ScrapeRequest(BaseModel):
    """Ask for a company. `forced_refresh` is an older name of `force_refresh`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"idno": "1003600069773"}]})

    idno: Idno = Field(description="The company's IDNO: 13 digits, the last a check digit")
    force_refresh: bool = Field(
        default=False,
        validation_alias=AliasChoices("force_refresh", "forced_refresh"),
        description="Visit the source even if a fresh record is held",
    )


class ScrapeAnswer(BaseModel):
    """The record (`cached`, or fetched while you waited), or the run that will fetch it."""

    success: bool
    message: str
    data: CompanyRecord | None
    cached: bool
    run_id: str | None = None
    status_url: str | None = None


class CompanyState(BaseModel):
    """Where one company of a run stands; `outcome` is of the visit that counts, the last of `attempts`."""

    model_config = ConfigDict(from_attributes=True)

    idno: str
    state: ScrapeState
    outcome: Outcome | None
    attempts: int | None
    error: str | None
    deferred_until: datetime | None = Field(
        description="The site is left alone until then; it is fetched after"
    )


class ScrapeStatus(BaseModel):
    """Where a run stands, as far as you asked for it; `data` is the record of one company that succeeded."""

    run_id: str
    state: ScrapeState
    companies: list[CompanyState]
    data: CompanyRecord | None
    error: str | None
    deferred_until: datetime | None

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self.state not in OPEN_STATES
