"""Extraction without Dagster: settings, a single visit, and a whole crawl of a site."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis import Redis

from pipeline.extract.browser.chrome_session import Driver
from pipeline.extract.browser.tabs import DRIVER_ERRORS, Tab, network_events
from pipeline.extract.claims import Claims
from pipeline.extract.crawl import Attempt, Crawl, Event
from pipeline.extract.page_capture import Capture
from pipeline.extract.site_throttle import SiteThrottle
from pipeline.extract.visit import Visit
from pipeline.settings import PipelineSettings, Screenshots
from stack.chrome import Chrome, find_chrome
from telemetry.tallies import Tallies
from warehouse.contract import RunKind


@cache
def installed_chrome() -> Chrome:
    """Return this machine's Chrome."""
    return find_chrome()


def settings_for(work_dir: Path, site_url: str, **others: Any) -> PipelineSettings:
    """Return settings for visits to a site with this machine's Chrome; no database or Redis is configured."""
    found = installed_chrome()
    values = {
        "warehouse_url": "postgresql+psycopg2://nowhere/none",
        "redis_state_url": "redis://nowhere/0",
        "redis_cache_url": "redis://nowhere/1",
        "site_url": site_url,
        "site_rate": 0,
        "chrome_binary": found.binary,
        "chromedriver": found.driver,
        "work_dir": work_dir,
        "retry_seconds": 0.1,
        "visit_timeout_seconds": 60,
    }
    return PipelineSettings(**{**values, **others}, _env_file=None)


def visit(
    driver: Driver,
    url: str,
    idno: str,
    *,
    timeout_seconds: float = 60,
    screenshots: Screenshots = Screenshots.FAILURES,
) -> Capture:
    """Visit one page in a tab of its own and return the capture."""
    home = driver.current_window_handle
    tab = Tab(driver)
    try:
        active = Visit(tab, url, idno, timeout_seconds=timeout_seconds, attempt=1, screenshots=screenshots)
        active.begin()
        while active.verdict is None:
            try:
                active.feed(network_events(driver, home).get(tab.handle, ()))
                active.step()
            except DRIVER_ERRORS as error:  # as a crawl does
                active.abort(str(error))
            time.sleep(0.02)
        return active.capture()
    finally:
        tab.close()
        with suppress(*DRIVER_ERRORS):
            driver.switch_to.window(home)


@dataclass
class Crawler:
    """Crawls a site as one run; the callables play what Dagster and other runs would answer.

    The run borrows a browser if its settings name a lender, and starts one otherwise.
    """

    settings: PipelineSettings
    redis: Redis
    kind: RunKind = RunKind.BULK
    find_new_capture: Callable[[str], int | None] = lambda _: None
    check_run_active: Callable[[], None] = lambda: None
    has_ended: Callable[[str], bool] = lambda _: False
    run_id: str = field(default_factory=lambda: uuid4().hex)

    def events(self, idnos: Sequence[str]) -> Iterator[Event]:
        """Visit companies; yield the crawl's events as they happen."""
        longest = timedelta(seconds=self.settings.visit_timeout_seconds + 30)
        crawl = Crawl(
            self.settings,
            SiteThrottle(self.redis, self.settings, kind=self.kind),
            Claims(self.redis, run_id=self.run_id, ttl=longest, has_ended=self.has_ended),
            Tallies(self.redis),
            run_id=self.run_id,
            find_new_capture=self.find_new_capture,
            check_run_active=self.check_run_active,
            may_borrow=True,
        )
        return crawl.visit_all(idnos)

    def crawl(self, idnos: Sequence[str]) -> list[Event]:
        """Visit companies; return all events."""
        return list(self.events(idnos))


def final(events: Sequence[Event]) -> dict[str, Capture]:
    """Return the final capture of each company."""
    return {
        event.capture.idno: event.capture
        for event in events
        if isinstance(event, Attempt) and event.retry_in is None
    }
