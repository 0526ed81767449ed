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
"""The name to which a rule in a site's robots.txt can apply."""


class Screenshots(StrEnum):
    """The visits whose captures contain a screenshot."""

    NEVER = "never"
    FAILURES = "failures"
    ALWAYS = "always"


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


class BrowserSettings(BaseSettings):
    """How browsers are started, lent and replaced."""

    model_config = StoreSettings.model_config

    visit_timeout_seconds: float = Field(default=30, gt=0, description="Maximum duration of a visit")
    contact: str = Field(
        default="https://github.com/registru",
        description="Contact for the site's operator, part of the User-Agent",
    )
    webdriver_url: str | None = Field(
        default=None,
        description="URL of a Selenium Grid or another remote WebDriver; without it Chrome runs on this machine",
    )
    browser_pages: int = Field(
        default=200, ge=1, description="The number of pages after which a browser is replaced"
    )
    browser_megabytes: int = Field(
        default=1500, ge=200, description="The memory use (MB) above which a browser is replaced"
    )
    chrome_binary: Path | None = Field(default=None, description="The executable of Chrome or Chromium")
    chromedriver: Path | None = Field(
        default=None, description="The executable of the chromedriver with the same version"
    )
    chrome_no_sandbox: bool = Field(
        default=False, description="Run Chrome without its sandbox; only where the sandbox does not work"
    )
    work_dir: Path = Field(
        description="Folder for browser profiles and for captures that the warehouse has not stored yet"
    )
    warm_browsers: int = Field(
        default=2, ge=0, le=16, description="Browsers that the lender keeps running for single requests"
    )
    browser_lender: Path | None = Field(
        default=None,
        description="Unix socket of the browser lender; without it each run starts its own browser",
    )

    @model_validator(mode="after")
    def _has_a_browser(self) -> Self:
        if self.webdriver_url is None and (self.chrome_binary is None or self.chromedriver is None):
            raise ValueError(
                "no browser: set REGISTRU_CHROME_BINARY and REGISTRU_CHROMEDRIVER, or REGISTRU_WEBDRIVER_URL"
            )
        return self

    @property
    def user_agent(self) -> str:
        """The User-Agent of all requests: our name and a contact for the site's operator."""
        return f"Mozilla/5.0 (compatible; {ROBOTS_NAME}/0.1; +{self.contact})"


class DataRetentionSettings(BaseSettings):
    """How long the warehouse keeps superseded bodies, and Dagster finished runs."""

    model_config = StoreSettings.model_config

    keep_bodies_days: int | None = Field(
        default=None,
        ge=30,
        description="Days to keep the bodies of superseded captures; without it they are kept forever",
    )
    keep_runs_days: int = Field(
        default=90, ge=1, description="Days to keep Dagster's runs with their events and logs"
    )


class PipelineSettings(BrowserSettings, StoreSettings, DataRetentionSettings):
    """The settings of runs."""

    site_url: str = Field(
        default=LIVE_SITE, description="URL of the site; a company's page is /companies/{idno}"
    )
    site_rate: float = Field(
        default=1, ge=0, description="Visits per second over all runs; 0: no limit, for loopback sites only"
    )
    api_url: str | None = Field(
        default=None,
        description="URL of the site's API; by default taken from the requests that captured pages made",
    )
    schedules: bool = Field(
        default=False,
        description="Whether the schedules launch runs: refresh tracked companies each hour, sweep the register each"
        " week, re-transform stale records each night, check the tables each morning",
    )
    tabs: int = Field(default=4, ge=1, le=32, description="Pages that a run visits at the same time")
    visit_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="Maximum visits to a company in one run; a visit that fails with a transient error is retried",
    )
    retry_seconds: float = Field(
        default=2,
        ge=0,
        description="Delay before the second attempt; doubled for each further attempt, with jitter",
    )
    longest_wait_seconds: float = Field(
        default=60,
        ge=0,
        description="A run waits for the end of a site's pause of at most this length; in a longer one it defers its"
        " remaining companies",
    )
    breaker_challenges: int = Field(
        default=3,
        ge=1,
        description="Number of companies in a row answered with a challenge that pauses all visits (circuit breaker)",
    )
    breaker_seconds: float = Field(
        default=900,
        gt=0,
        description="Length of the circuit breaker's pause; doubled each time the visit that probes the site after it"
        " is answered with a challenge",
    )
    screenshots: Screenshots = Field(
        default=Screenshots.FAILURES,
        description="Which visits take a screenshot: never, failures (those that a person has to judge), always",
    )
    transform_processes: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 8),
        ge=1,
        le=64,
        description="Processes that re-transform stored captures in parallel; by default one per core, at most 8",
    )
    quarantine_per_cent: float = Field(
        default=5,
        ge=0,
        le=100,
        description="A re-transformation stops if more than this share of a batch's captures cannot be transformed",
    )
    quarantine_at_least: int = Field(
        default=10,
        ge=0,
        description="This number of a batch's captures may always fail, whatever their share",
    )

    @model_validator(mode="after")
    def _limit_rate_at_foreign_sites(self) -> Self:
        if self.site_rate == 0 and not is_loopback(self.site_url):
            raise ValueError(
                f"site_rate 0 (no limit) is for loopback sites only, not for {self.site_url}; set it above 0"
            )
        return self


@cache
def current_settings() -> ReloadableSettings[PipelineSettings]:
    """Return the reloadable settings of this process. The first call loads them. Raises SettingsRefused."""
    return ReloadableSettings(load(PipelineSettings), partial(load, PipelineSettings))


def pipeline_settings() -> PipelineSettings:
    """Return the settings of this process, as they were last loaded or reloaded. Raises SettingsRefused."""
    return current_settings().settings
