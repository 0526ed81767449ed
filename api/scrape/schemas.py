"""What a request for a company takes and gives."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from api.scrape.states import ScrapeState
from warehouse.idno import Idno
from warehouse.records import CompanyOutcome, CompanyRecord


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
    """The record (`cached`), or the run that will fetch it."""

    success: bool
    message: str
    data: CompanyRecord | None
    cached: bool
    run_id: str | None = None
    status_url: str | None = None


class ScrapeStatus(BaseModel):
    """Where a run stands; `data` is the company's record once it has succeeded."""

    run_id: str
    state: ScrapeState
    companies: list[CompanyOutcome]
    data: CompanyRecord | None
    error: str | None
