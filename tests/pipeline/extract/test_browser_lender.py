"""A browser that is kept running: lent to one at a time, without a trace of who had it; replaced when it died."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipeline import local_socket
from pipeline.extract.browser.browser_lender import Lease, borrow
from pipeline.extract.browser.tabs import Tab
from stack.chrome import find_chrome
from stack.home import PROJECT
from standin.server import Site
from standin.site_facts import make_idno
from tests.polling import wait_for

TRACES = """
document.cookie = 'who=me'; localStorage.setItem('who', 'me'); return true
"""
KEPT = "return [document.cookie, localStorage.length]"


@dataclass
class RunningLender:
    """A lender with one browser."""

    process: "subprocess.Popen[bytes]"
    socket: Path

    def lease(self) -> Lease:
        """Borrow the browser, once it can be had."""
        return wait_for("a browser", lambda: borrow(self.socket))

    def browsers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def _lender(folder: Path, **settings: str) -> Iterator[RunningLender]:
    chrome = find_chrome()
    socket = folder / "browsers.sock"
    told = {
        "BROWSER_LENDER": str(socket),
        "WARM_BROWSERS": "1",
        "CHROME_BINARY": str(chrome.binary),
        "CHROMEDRIVER": str(chrome.driver),
        "WORK_DIR": str(folder),
        **settings,
    }
    environment = {**os.environ, **{f"REGISTRU_{name}": value for name, value in told.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.extract.browser.browser_lender"], env=environment, cwd=PROJECT
    )
    try:
        wait_for("the lender", socket.exists)
        yield RunningLender(process, socket)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLender]:
    with _lender(tmp_path_factory.mktemp("lender")) as running:
        yield running


def _offered(lender: Path) -> socket.socket | None:
    """Return a connection that was offered a browser, which nobody has taken yet."""
    connection = local_socket.connect(lender, timeout=30)
    try:
        local_socket.receive(connection)
    except EOFError:
        connection.close()
        return None
    return connection


def _open(lease: Lease, url: str) -> Tab:
    """Have the browser show a page."""
    tab = Tab(lease.driver, lease.ready)
    tab.focus()
    tab.driver.get(url)
    wait_for("the page", lambda: tab.driver.current_url == url)
    return tab


def test_what_is_given_back_is_lent_again_without_a_trace_of_who_had_it(
    lender: RunningLender, site: Site
) -> None:
    url = site.page_url(make_idno(33_000))
    first = lender.lease()
    tab = _open(first, url)
    assert tab.driver.execute_script(TRACES)
    assert tab.driver.execute_script(KEPT) == ["who=me", 1]
    Tab(first.driver)  # left open
    first.give_back(pages=1)

    second = lender.lease()
    assert second.process_id == first.process_id
    assert len(second.driver.window_handles) == 2  # the empty one, and the one that is ready
    assert _open(second, url).driver.execute_script(KEPT) == ["", 0]
    second.give_back(pages=1)


def test_one_that_is_lent_is_lent_to_nobody_else(lender: RunningLender) -> None:
    lease = lender.lease()
    assert borrow(lender.socket) is None
    lease.give_back(pages=0)


def test_who_takes_what_is_offered_too_late_is_not_lent_it(lender: RunningLender) -> None:
    late = wait_for("an offer", lambda: _offered(lender.socket))
    with late:
        lease = lender.lease()  # the lender waits no longer
        with pytest.raises((OSError, EOFError)):
            local_socket.send(late, {"taken": True})
            local_socket.receive(late)
        lease.give_back(pages=0)


def test_an_offer_that_is_not_confirmed_is_none(tmp_path: Path) -> None:
    offer = {
        "address": "http://127.0.0.1:1",
        "session": "s",
        "capabilities": {},
        "process": 1,
        "place": ["c", "h"],
    }
    with local_socket.listen(tmp_path / "browsers.sock") as listener, ThreadPoolExecutor(1) as threads:
        borrowed = threads.submit(borrow, tmp_path / "browsers.sock")
        connection, _ = listener.accept()
        with connection:
            local_socket.send(connection, offer)
            local_socket.receive(connection)
        assert borrowed.result() is None


def test_one_whose_borrower_went_without_a_word_is_ended_and_replaced(
    lender: RunningLender, site: Site
) -> None:
    lease = lender.lease()
    _open(lease, site.page_url(make_idno(33_001)))
    lease.drop()

    wait_for("its end", lambda: not psutil.pid_exists(lease.process_id))
    other = lender.lease()
    assert other.process_id != lease.process_id
    other.give_back(pages=0)


def test_one_that_died_unused_is_not_lent_and_replaced(lender: RunningLender) -> None:
    lease = lender.lease()
    lease.give_back(pages=0)
    lender.lease().give_back(pages=0)  # it is in order again
    for process in psutil.Process(lease.process_id).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # its parent's end was its own
            process.kill()

    other = lender.lease()
    assert other.process_id != lease.process_id
    assert other.driver.execute_script("return 1") == 1
    other.give_back(pages=0)


def test_one_that_has_shown_so_many_pages_is_replaced(tmp_path: Path) -> None:
    with _lender(tmp_path, BROWSER_PAGES="3") as lender:
        first = lender.lease()
        first.give_back(pages=3)
        assert lender.lease().process_id != first.process_id


def test_a_lender_that_ends_takes_all_browsers_along_those_that_are_lent_too(tmp_path: Path) -> None:
    with _lender(tmp_path) as lender:
        lease = lender.lease()
        browsers = lender.browsers()
        assert lease.process_id in {browser.pid for browser in browsers}
    wait_for("the end of the browsers", lambda: not any(process.is_running() for process in browsers))
    assert not any((tmp_path / "chrome").iterdir())


def test_where_nobody_lends_there_is_none(tmp_path: Path) -> None:
    assert borrow(tmp_path / "browsers.sock") is None
