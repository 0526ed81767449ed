"""A browser behind a remote WebDriver, played by a second chromedriver with a port of its own."""

import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import httpx
import pytest
from redis import Redis

from pipeline.extract.browser.chrome_session import BrowserNotStarted, chrome
from stack.ports import free_ports
from standin import CASES, CaseName
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, installed_chrome, settings_for
from tests.polling import wait_for
from warehouse.contract import Outcome


@pytest.fixture
def webdriver(starts_browser: None) -> Iterator[str]:
    """The URL of a running chromedriver."""
    # Chrome creates a socket in TMPDIR, whose path may have 107 characters at most; `tmp_path` can be too long.
    with TemporaryDirectory(prefix="registru-") as scratch:
        yield from _running_chromedriver(scratch)


def _running_chromedriver(scratch: str) -> Iterator[str]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    environment = {"PATH": "/usr/bin:/bin", "HOME": scratch, "TMPDIR": scratch}
    process = subprocess.Popen(
        [str(installed_chrome().driver), f"--port={port}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # so that its browsers can be killed with it
    )

    def ready() -> bool | None:
        try:
            return bool(httpx.get(f"{url}/status", trust_env=False).json()["value"]["ready"]) or None
        except httpx.HTTPError:
            return None

    try:
        wait_for("a second chromedriver", ready)
        yield url
    finally:
        # chromedriver sometimes does not react to SIGTERM.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


@pytest.mark.usefixtures("starts_stores")
def test_error_names_an_unreachable_remote_without_its_password(tmp_path: Path, redis: Redis) -> None:
    settings = settings_for(
        tmp_path, "http://127.0.0.1:9", webdriver_url="http://user:hunter2@127.0.0.1:9", retry_seconds=0
    )
    with pytest.raises(BrowserNotStarted) as raised:
        Crawler(settings, redis).crawl([make_idno(1), make_idno(2)])
    assert "127.0.0.1:9 provided no browser" in str(raised.value)
    assert "hunter2" not in str(raised.value)


class _Remote(BaseHTTPRequestHandler):
    """A WebDriver that has no browser to offer. It keeps the credentials of the last request."""

    authorization: str | None = None

    def do_POST(self) -> None:
        type(self).authorization = self.headers["Authorization"]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.usefixtures("starts_stores")  # `settings_for` looks for Chrome
def test_user_and_password_in_the_url_are_sent_as_basic_authentication(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Remote) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        settings = settings_for(
            tmp_path,
            "http://127.0.0.1:9",
            webdriver_url=f"http://user:p%40ss@{address}",
            chrome_binary=None,
            chromedriver=None,
        )
        with (
            pytest.raises(BrowserNotStarted, match=f"^http://{address} provided no browser"),
            chrome(settings),
        ):
            pass
        server.shutdown()
    assert _Remote.authorization == "Basic " + b64encode(b"user:p@ss").decode()
