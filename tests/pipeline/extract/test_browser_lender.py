"""The browser lender: lends a browser to one run at a time, resets it in between, and replaces a dead one."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pipeline import local_socket
from pipeline.extract.browser.browser_lender import Lease, borrow
from pipeline.extract.browser.tabs import Tab
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.lender_process import RunningLender, running_lender
from tests.polling import wait_for

LEAVE_TRACES = """
document.cookie = 'who=me'; localStorage.setItem('who', 'me'); return true
"""
READ_TRACES = "return [document.cookie, localStorage.length]"


def _offered(lender: Path) -> socket.socket | None:
    """Return a connection on which the lender has offered a browser; None if no browser is free."""
    connection = local_socket.connect(lender, timeout=30)
    try:
        local_socket.receive(connection)
    except EOFError:
        connection.close()
        return None
    return connection


def _open(lease: Lease, url: str) -> Tab:
    """Load a page in the prepared tab of a borrowed browser."""
    tab = Tab(lease.driver, lease.prepared_tab)
    tab.focus()
    tab.driver.get(url)
    wait_for("the page", lambda: tab.driver.current_url == url)
    return tab


def test_returned_browser_is_lent_again_without_traces_of_the_last_run(
    lender: RunningLender, site: Site
) -> None:
    url = site.page_url(make_idno(33_000))
    first = lender.lease()
    tab = _open(first, url)
    assert tab.driver.execute_script(LEAVE_TRACES)
    assert tab.driver.execute_script(READ_TRACES) == ["who=me", 1]
    Tab(first.driver)  # stays open
    first.return_browser(pages=1)

    second = lender.lease()
    assert second.driver_pid == first.driver_pid
    assert len(second.driver.window_handles) == 2  # the empty tab and the prepared one
    assert _open(second, url).driver.execute_script(READ_TRACES) == ["", 0]
    second.return_browser(pages=1)


def test_lent_browser_is_not_lent_to_another_run(lender: RunningLender) -> None:
    lease = lender.lease()
    assert borrow(lender.socket) is None
    lease.return_browser(pages=0)


def test_run_that_accepts_an_offer_too_late_gets_no_browser(lender: RunningLender) -> None:
    late = wait_for("an offer", lambda: _offered(lender.socket))
    with late:
        lease = lender.lease()  # the lender no longer waits for the first run
        with pytest.raises((OSError, EOFError)):
            local_socket.send(late, {"taken": True})
            local_socket.receive(late)
        lease.return_browser(pages=0)


def test_offer_without_confirmation_is_not_a_lease(tmp_path: Path) -> None:
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


def test_browser_that_is_not_returned_is_killed_and_replaced(lender: RunningLender, site: Site) -> None:
    lease = lender.lease()
    _open(lease, site.page_url(make_idno(33_001)))
    lease.discard()

    wait_for("the end of the browser", lambda: not psutil.pid_exists(lease.driver_pid))
    other = lender.lease()
    assert other.driver_pid != lease.driver_pid
    other.return_browser(pages=0)


def _is_reset(lease: Lease) -> bool:
    """Return whether the lender has reset a returned browser: a new tab is open instead of the borrower's."""
    handles = lease.driver.window_handles
    return len(handles) == 2 and lease.prepared_tab.handle not in handles


def test_browser_that_died_while_unused_is_replaced_before_lending(lender: RunningLender) -> None:
    lease = lender.lease()
    lease.return_browser(pages=0)
    wait_for("the reset of the browser", lambda: _is_reset(lease))
    for process in psutil.Process(lease.driver_pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
            process.kill()

    other = lender.lease()
    assert other.driver_pid != lease.driver_pid
    assert other.driver.execute_script("return 1") == 1
    other.return_browser(pages=0)


@pytest.mark.usefixtures("starts_browser")
def test_browser_is_replaced_after_the_configured_number_of_pages(tmp_path: Path) -> None:
    with running_lender(tmp_path, BROWSER_PAGES="3") as lender:
        first = lender.lease()
        first.return_browser(pages=3)
        second = lender.lease()
        assert second.driver_pid != first.driver_pid
        second.return_browser(pages=0)


@pytest.mark.usefixtures("starts_browser")
def test_lender_that_stops_ends_all_browsers_even_lent_ones(tmp_path: Path) -> None:
    with running_lender(tmp_path) as lender:
        lease = lender.lease()
        browsers = lender.browsers()
        assert lease.driver_pid in {browser.pid for browser in browsers}
    wait_for("the end of the browsers", lambda: not any(process.is_running() for process in browsers))
    lease.discard()
    assert not any((tmp_path / "chrome").iterdir())


def test_no_browser_is_borrowed_without_a_lender(tmp_path: Path) -> None:
    assert borrow(tmp_path / "browsers.sock") is None
