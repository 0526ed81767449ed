"""Tests of the API's documentation page in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browsers import see, started_browser
from tests.platform_harness import Platform


@pytest.fixture
def browser(starts_browser: None, tmp_path: Path) -> Iterator[Chrome]:
    """A browser that logs its requests and what it refused to run."""
    with started_browser(tmp_path / "profile", logs={"performance": "ALL", "browser": "ALL"}) as driver:
        yield driver


def requested_urls(browser: Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]  # type: ignore[no-untyped-call]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [each["request"]["url"] for each in sent]


def test_docs_page_works_and_sends_no_request_to_other_hosts(platform: Platform, browser: Chrome) -> None:
    browser.get(f"{platform.url}/docs")
    see(browser, "/companies/{idno}/")
    browser.find_element(By.CSS_SELECTOR, "button.authorize").click()
    see(browser, "Available authorizations")
    hosts = {urlsplit(url).netloc for url in requested_urls(browser) if url.startswith(("http", "ws"))}
    assert hosts == {urlsplit(platform.url).netloc}
    refused = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert refused == []


def test_docs_page_may_run_only_its_own_scripts(platform: Platform) -> None:
    page = httpx.get(f"{platform.url}/docs", trust_env=False)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert "https:" not in page.text.replace(platform.url, "")
    assert page.headers["X-Frame-Options"] == "DENY"
