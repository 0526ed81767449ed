"""A browser behind a remote WebDriver, played by a second chromedriver with a port of its own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from pipeline.extract.browser.chrome_session import BrowserNotStarted
from stack.chrome import find_chrome
from stack.ports import free_ports
from standin import CASES, CaseName
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.polling import wait_for
from warehouse.contract import Outcome


@pytest.fixture
def webdriver(tmp_path: Path) -> Iterator[str]:
    """The URL of a running chromedriver."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [str(find_chrome().driver), f"--port={port}"], env=environment, stdout=subprocess.DEVNULL
    )

    def ready() -> bool | None:
        try:
            return bool(httpx.get(f"{url}/status", trust_env=False).json()["value"]["ready"]) or None
        except httpx.HTTPError:
            return None

    try:
        wait_for("a second chromedriver", ready, seconds=30)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_remote_browser_captures_like_a_local_one(
    tmp_path: Path, site: Site, redis: Redis, webdriver: str
) -> None:
    settings = settings_for(
        tmp_path,
        site.url,
        webdriver_url=webdriver,
        chrome_binary=None,
        chromedriver=None,
        chrome_no_sandbox=True,
        tabs=3,
    )
    idnos = [make_idno(1), make_idno(2), CASES[CaseName.CHALLENGE].idno, CASES[CaseName.REDIRECT].idno]
    captures = final(Crawler(settings, redis).crawl(idnos))

    assert [captures[idno].outcome for idno in idnos] == [
        Outcome.OK,
        Outcome.OK,
        Outcome.BLOCKED,
        Outcome.OK,
    ]
    found = captures[make_idno(1)]
    assert len(found.payloads) == 2
    assert found.status_code == 200
    assert found.document
    sessions = httpx.get(f"{webdriver}/sessions", trust_env=False).json()["value"]
    assert sessions == []
    assert not (tmp_path / "chrome").exists()


def test_error_names_an_unreachable_remote_without_its_password(tmp_path: Path, redis: Redis) -> None:
    settings = settings_for(
        tmp_path, "http://127.0.0.1:9", webdriver_url="http://user:hunter2@127.0.0.1:9", retry_seconds=0
    )
    with pytest.raises(BrowserNotStarted) as raised:
        Crawler(settings, redis).crawl([make_idno(1), make_idno(2)])
    assert "127.0.0.1:9 provided no browser" in str(raised.value)
    assert "hunter2" not in str(raised.value)
