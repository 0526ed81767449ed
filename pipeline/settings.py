"""The pipeline's settings, from the environment (prefix REGISTRU_)."""

from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from warehouse.settings import StoreSettings

LIVE_SITE = "https://openmoney.md"


def is_loopback(url: str) -> bool:
    """Tell whether a site is on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


class PipelineSettings(StoreSettings):
    """What a run needs to know."""

    site_url: str = Field(default=LIVE_SITE, description="Where /companies/{idno} lives")
    site_rate: float = Field(
        default=1, ge=0, description="Visits a second over all runs; 0: no limit, for loopback sites only"
    )
    visit_timeout_seconds: float = Field(default=30, gt=0, description="The longest a visit may take")
    contact: str = Field(
        default="https://github.com/registru", description="Named in the User-Agent, for the site's operator"
    )
    chrome_binary: Path = Field(description="Chrome's or Chromium's program")
    chromedriver: Path = Field(description="The driver of the same version")
    chrome_no_sandbox: bool = Field(default=False, description="Only where Chrome's sandbox cannot work")
    work_dir: Path = Field(description="For browser profiles and captures on their way to the warehouse")

    @model_validator(mode="after")
    def _no_rush_on_other_peoples_sites(self) -> Self:
        if self.site_rate == 0 and not is_loopback(self.site_url):
            raise ValueError(
                f"site_rate 0 (no limit) is for loopback sites only, not for {self.site_url}; give visits a second"
            )
        return self


@cache
def pipeline_settings() -> PipelineSettings:
    """The settings of this process, read when they are first needed."""
    return PipelineSettings()
