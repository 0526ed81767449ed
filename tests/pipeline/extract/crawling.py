"""A crawl by itself, without Dagster: a browser, a Valkey, and a site."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis import Redis

from pipeline.extract.browser.chrome_session import Driver
from pipeline.extract.browser.tabs import FAILURES, Tab, network_events
from pipeline.extract.claims import Claims
from pipeline.extract.crawl import Attempt, Crawl, Event
from pipeline.extract.page_capture import Capture
from pipeline.extract.site_throttle import SiteThrottle
from pipeline.extract.visit import Visit
from pipeline.settings import PipelineSettings, Screenshots
from stack.chrome import find_chrome
from telemetry.tallies import Tallies
from warehouse.contract import RunKind


def settings_for(work_dir: Path, site_url: str, **others: Any) -> PipelineSettings:
    """Return settings for a browser on its own."""
    found = find_chrome()
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
        "visit_timeout_seconds": 15,
    }
    return PipelineSettings(**{**values, **others}, _env_file=None)


def visit(
    driver: Driver,
    url: str,
    idno: str,
    *,
    timeout_seconds: float = 15,
    screenshots: Screenshots = Screenshots.FAILURES,
) -> Capture:
    """Visit one page in a tab of its own."""
    home = driver.current_window_handle
    tab = Tab(driver)
    try:
        under_way = Visit(tab, url, idno, timeout_seconds=timeout_seconds, attempt=1, screenshots=screenshots)
        under_way.begin()
        while under_way.verdict is None:
            try:
                under_way.take(network_events(driver, home).get(tab.handle, ()))
                under_way.step()
            except FAILURES as error:  # as a crawl does
                under_way.cut_off(str(error))
            time.sleep(0.02)
        return under_way.capture()
    finally:
        tab.close()
        with suppress(*FAILURES):
            driver.switch_to.window(home)


@dataclass
class Crawler:
    """Crawls a site with one set of manners; what other runs would do is up to the test."""

    settings: PipelineSettings
    redis: Redis
    kind: RunKind = RunKind.BULK
    captured_meanwhile: Callable[[str], int | None] = lambda _: None
    goes_on: Callable[[], None] = lambda: None
    is_over: Callable[[str], bool] = lambda _: False
    run_id: str = field(default_factory=lambda: uuid4().hex)

    def events(self, idnos: Sequence[str]) -> Iterator[Event]:
        """Yield what becomes of companies, as it comes."""
        longest = timedelta(seconds=self.settings.visit_timeout_seconds + 30)
        crawl = Crawl(
            self.settings,
            SiteThrottle(self.redis, self.settings, kind=self.kind),
            Claims(self.redis, run_id=self.run_id, good_for=longest, is_over=self.is_over),
            Tallies(self.redis),
            run_id=self.run_id,
            captured_meanwhile=self.captured_meanwhile,
            goes_on=self.goes_on,
        )
        return crawl.visit_all(idnos)

    def crawl(self, idnos: Sequence[str]) -> list[Event]:
        """Return what became of companies."""
        return list(self.events(idnos))


def final(events: Sequence[Event]) -> dict[str, Capture]:
    """Return the capture that counts of each company."""
    return {
        event.capture.idno: event.capture
        for event in events
        if isinstance(event, Attempt) and event.retry_in is None
    }
