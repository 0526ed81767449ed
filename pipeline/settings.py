"""The pipeline's settings (prefix REGISTRU_)."""

import os
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.settings import StoreSettings, load

LIVE_SITE = "https://openmoney.md"
ROBOTS_NAME = "Registru"
"""The name that robots.txt knows us by."""


class Screenshots(StrEnum):
    """Which visits a screenshot is kept of."""

    NEVER = "never"
    FAILURES = "failures"
    ALWAYS = "always"


def is_loopback(url: str) -> bool:
    """Tell whether a site is on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


class BrowserSettings(BaseSettings):
    """What it takes to start a browser and to keep it."""

    model_config = StoreSettings.model_config

    visit_timeout_seconds: float = Field(default=30, gt=0, description="The longest a visit may take")
    contact: str = Field(
        default="https://github.com/registru", description="Named in the User-Agent, for the site's operator"
    )
    webdriver_url: str | None = Field(
        default=None, description="A Selenium Grid or other remote WebDriver; none: Chrome on this machine"
    )
    browser_pages: int = Field(default=200, ge=1, description="A browser is replaced after so many pages")
    browser_megabytes: int = Field(default=1500, ge=200, description="… or when it takes so much memory")
    chrome_binary: Path | None = Field(default=None, description="Chrome's or Chromium's program")
    chromedriver: Path | None = Field(default=None, description="The driver of the same version")
    chrome_no_sandbox: bool = Field(default=False, description="Only where Chrome's sandbox cannot work")
    work_dir: Path = Field(description="For browser profiles and captures on their way to the warehouse")
    warm_browsers: int = Field(
        default=2, ge=0, le=16, description="Browsers that are kept running for runs that somebody waits for"
    )
    browser_lender: Path | None = Field(
        default=None, description="The socket where a running browser is lent; none: a run starts its own"
    )

    @model_validator(mode="after")
    def _has_a_browser(self) -> Self:
        if self.webdriver_url is None and (self.chrome_binary is None or self.chromedriver is None):
            raise ValueError(
                "no browser: name REGISTRU_CHROME_BINARY and REGISTRU_CHROMEDRIVER, or REGISTRU_WEBDRIVER_URL"
            )
        return self

    @property
    def user_agent(self) -> str:
        """Who we are, with a contact for the site's operator."""
        return f"Mozilla/5.0 (compatible; {ROBOTS_NAME}/0.1; +{self.contact})"


class DataRetentionSettings(BaseSettings):
    """How long the pipeline's side keeps what is superseded or over."""

    model_config = StoreSettings.model_config

    keep_bodies_days: int | None = Field(
        default=None,
        ge=30,
        description="How long bodies are kept that only superseded captures hold; by itself for ever",
    )
    keep_runs_days: int = Field(
        default=90, ge=1, description="How long Dagster's runs are kept, with their events and logs"
    )


class PipelineSettings(BrowserSettings, StoreSettings, DataRetentionSettings):
    """What a run needs to know."""

    site_url: str = Field(default=LIVE_SITE, description="Where /companies/{idno} lives")
    site_rate: float = Field(
        default=1, ge=0, description="Visits a second over all runs; 0: no limit, for loopback sites only"
    )
    api_url: str | None = Field(
        default=None, description="Where the site's API is; by itself found in what its pages fetched"
    )
    schedules: bool = Field(
        default=False,
        description="Whether the schedules do anything: tracked companies are refreshed each hour, the register is"
        " swept each week, stale records are read again each night, the tables are checked each morning",
    )
    tabs: int = Field(default=4, ge=1, le=32, description="Pages that a run visits side by side")
    visit_attempts: int = Field(default=3, ge=1, le=10, description="Visits to a page that fails for a time")
    retry_seconds: float = Field(
        default=2,
        ge=0,
        description="Wait before the second attempt; doubled for each further one, with jitter",
    )
    longest_wait_seconds: float = Field(
        default=60, ge=0, description="A site to be left alone for longer ends the run; it goes on later"
    )
    breaker_challenges: int = Field(
        default=3, ge=1, description="Companies challenged in a row until all extraction pauses"
    )
    breaker_seconds: float = Field(
        default=900, gt=0, description="How long it pauses; doubled each time the probe afterwards fails"
    )
    screenshots: Screenshots = Field(
        default=Screenshots.FAILURES, description="Of which visits: never, failures (that need eyes), always"
    )
    transform_processes: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 8),
        ge=1,
        le=64,
        description="Processes that transform stored captures again side by side; by itself one a core, at most 8",
    )
    quarantine_per_cent: float = Field(
        default=5,
        ge=0,
        le=100,
        description="So many of a batch's captures may turn out unreadable until a re-transformation stops",
    )
    quarantine_at_least: int = Field(default=10, ge=0, description="… and so many in any case")

    @model_validator(mode="after")
    def _no_rush_on_other_peoples_sites(self) -> Self:
        if self.site_rate == 0 and not is_loopback(self.site_url):
            raise ValueError(
                f"site_rate 0 (no limit) is for loopback sites only, not for {self.site_url}; give visits a second"
            )
        return self


@cache
def current_settings() -> ReloadableSettings[PipelineSettings]:
    """The settings of this process, read when they are first needed. Raises SettingsRefused."""
    return ReloadableSettings(load(PipelineSettings), partial(load, PipelineSettings))


def pipeline_settings() -> PipelineSettings:
    """The settings of this process as they were read last. Raises SettingsRefused."""
    return current_settings().settings
