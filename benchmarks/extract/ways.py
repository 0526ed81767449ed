"""Ways to fetch companies' pages with Selenium: our crawl, our crawl without bodies, and a bare loop."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from bs4 import BeautifulSoup
from redis import Redis
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import text_to_be_present_in_element
from selenium.webdriver.support.wait import WebDriverWait

from benchmarks.extract.meter import Meter
from pipeline.extract.crawl import Attempt
from pipeline.extract.page_capture import Capture
from pipeline.extract.visit import Visit
from stack.chrome import find_chrome
from standin.site_facts import company_name
from tests.pipeline.extract.crawling import Crawler, settings_for
from warehouse.contract import Outcome

TIMEOUT_SECONDS = 30
BARE, CRAWL, WITHOUT_BODIES = "bare Selenium", "crawl", "crawl, no bodies"
_WITHOUT_BODIES_TABS = 4
_BARE_POLL_SECONDS = 0.02
"""Interval of Selenium's waits. With the default of 0.5 s, the bare loop would be slower than it can be."""


class WrongPage(AssertionError):
    """A fetched page does not show the requested company, so the measurement is invalid."""


@dataclass(frozen=True)
class Fetched:
    """Result of one visit: the rendered page, and how many bodies of the page's own requests were captured."""

    idno: str
    html: str
    bodies: int


@dataclass(frozen=True)
class ExtractSetup:
    """What a measurement needs: the URL of the site, Redis and the meter."""

    site_url: str
    redis: Redis
    meter: Meter


@dataclass(frozen=True)
class Way:
    """A way to fetch pages, and how many bodies it must capture with each page."""

    name: str
    tabs: int
    bodies: int
    fetch: Callable[[Sequence[str], ExtractSetup], list[Fetched]]
    """The function that fetches the pages of companies and counts each page with the meter."""

    def measure(self, idnos: Sequence[str], setup: ExtractSetup) -> None:
        """Fetch the pages of companies and verify them. Raise WrongPage if a page or its number of bodies is wrong."""
        fetched = {page.idno: page for page in self.fetch(idnos, setup)}
        for idno in idnos:
            page, name = fetched.get(idno, Fetched(idno, "", 0)), company_name(idno)
            if _heading(page.html) != name or page.bodies != self.bodies:
                raise WrongPage(
                    f"{self.name}, {self.tabs} tabs: {idno} came as {_heading(page.html)!r} with {page.bodies}"
                    f" bodies, not as {name!r} with {self.bodies}"
                )


def our_ways(tabs: Sequence[int]) -> list[Way]:
    """Return the ways with Selenium: the bare loop, our crawl, and our crawl without bodies."""
    return [
        Way(BARE, 1, 0, _fetch_bare),
        *(Way(CRAWL, number, 2, partial(_crawl, tabs=number)) for number in tabs),
        Way(WITHOUT_BODIES, _WITHOUT_BODIES_TABS, 0, _crawl_without_bodies),
    ]


def _heading(html: str) -> str:
    found = BeautifulSoup(html, "lxml").h1
    return found.get_text(strip=True) if found else ""


def _crawl_without_bodies(idnos: Sequence[str], setup: ExtractSetup) -> list[Fetched]:
    """Crawl without capturing bodies; whether the page shows the right company is decided by the page alone."""
    with patch.object(Visit, "_body", lambda *_: None):
        return _crawl(idnos, setup, tabs=_WITHOUT_BODIES_TABS)


def _crawl(idnos: Sequence[str], setup: ExtractSetup, *, tabs: int) -> list[Fetched]:
    """Crawl as a run does, without a rate limit and without storing the captures."""
    setup.redis.flushdb()
    captures: list[Capture] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(
            Path(folder), setup.site_url, tabs=tabs, visit_timeout_seconds=TIMEOUT_SECONDS
        )
        for event in Crawler(settings, setup.redis).events(idnos):
            if not isinstance(event, Attempt) or event.capture.outcome is not Outcome.OK:
                raise WrongPage(f"crawl, {tabs} tabs: {event!r:.500}")
            captures.append(event.capture)
            setup.meter.count()
    return [_fetched(capture) for capture in captures]


def _fetched(capture: Capture) -> Fetched:
    bodies = [payload for payload in capture.payloads if payload.body]
    return Fetched(capture.idno, capture.html or "", len(bodies))


@contextmanager
def _bare_chrome() -> Iterator[webdriver.Chrome]:
    found = find_chrome()
    options = webdriver.ChromeOptions()
    options.binary_location = str(found.binary)
    for argument in browser_arguments():
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(found.driver)))
    try:
        yield driver
    finally:
        driver.quit()


def browser_arguments() -> list[str]:
    """Return Chrome's arguments for the bare loop and Playwright: as few as possible.

    The popups of the address bar are turned off: they are two internal pages per window and cost a second of CPU before
    the measurement starts.
    """
    no_sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1024",
        "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
        *no_sandbox,
    ]


def _fetch_bare(idnos: Sequence[str], setup: ExtractSetup) -> list[Fetched]:
    """Fetch the pages with the simplest loop: load the page, wait for the heading, read the HTML."""
    fetched = []
    with _bare_chrome() as driver:
        for idno in idnos:
            fetched.append(Fetched(idno, _bare_page(driver, setup.site_url, idno), 0))
            setup.meter.count()
    return fetched


def _bare_page(driver: webdriver.Chrome, site_url: str, idno: str) -> str:
    driver.get(f"{site_url}/companies/{idno}")
    wait = WebDriverWait(driver, TIMEOUT_SECONDS, poll_frequency=_BARE_POLL_SECONDS)
    wait.until(text_to_be_present_in_element((By.TAG_NAME, "h1"), company_name(idno)))
    return driver.page_source
