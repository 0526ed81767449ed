"""Request and response bodies of the endpoints below /scrape/."""

from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from api.scrape.states import OPEN_STATES, ScrapeState
from warehouse.contract import Outcome
from warehouse.idno import Idno
from warehouse.records.models import CompanyRecord


class ScrapeRequest(BaseModel):
    """A request for a company. `forced_refresh` is an older name of `force_refresh`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"idno": "1003600069773"}]})

    idno: Idno = Field(description="The company's IDNO: 13 digits, the last a check digit")
    force_refresh: bool = Field(
        default=False,
        validation_alias=AliasChoices("force_refresh", "forced_refresh"),
        description="Visit the source even if a fresh record is stored",
    )


class ScrapeAnswer(BaseModel):
    """The company's record (from the cache, or fetched while the client waited), or the run that fetches it."""

    success: bool
    message: str
    data: CompanyRecord | None
    cached: bool
    run_id: str | None = None
    status_url: str | None = None


class CompanyState(BaseModel):
    """The state of one company. `outcome` is the result of its last visit, `attempts` the number of visits."""

    model_config = ConfigDict(from_attributes=True)

    idno: str
    state: ScrapeState
    outcome: Outcome | None
    attempts: int | None
    error: str | None
    deferred_until: datetime | None = Field(
        description="The site is paused until then; afterwards the company is fetched without a new request"
    )


class ScrapeStatus(BaseModel):
    """The status of a run, limited to the companies that the caller requested.

    `data` is the record if the caller requested only one company of the run and its scrape succeeded.
    """

    run_id: str
    state: ScrapeState
    companies: list[CompanyState]
    data: CompanyRecord | None
    error: str | None
    deferred_until: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state not in OPEN_STATES
