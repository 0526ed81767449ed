"""Chrome as the pipeline starts it: it leaves nothing behind, and a failed start names the program."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from pipeline.extract.browser.chrome_session import BrowserNotStarted, Driver, chrome
from pipeline.extract.browser.tabs import Tab
from pipeline.extract.crawl import Attempt
from stack.home import PROJECT
from standin import CASES, CaseName
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, settings_for
from tests.pipeline.extract.lender_process import RunningLender
from tests.polling import wait_for
from warehouse.contract import Outcome

pytestmark = pytest.mark.usefixtures("starts_browser")


def wait_for_no_processes(work_dir: Path) -> None:
    """Wait until no process of a work folder runs; killed ones may take a moment to end."""
    wait_for("the end of all processes", lambda: not processes_of(work_dir))


def processes_of(work_dir: Path) -> list[psutil.Process]:
    """Return the processes whose command names the work folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(work_dir) in argument for argument in process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_visits_do_not_affect_each_other_and_leave_nothing_behind(
    tmp_path: Path, site: Site, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    idnos = [CASES[CaseName.FOUND].idno, make_idno(1), make_idno(2)]
    scratch = Path(tempfile.mkdtemp())
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    settings = settings_for(tmp_path, site.url, tabs=1)
    captures = []
    for event in Crawler(settings, redis).events(idnos):
        assert isinstance(event, Attempt)
        assert event.capture.html is not None
        captures.append(event.capture)
    assert [capture.outcome for capture in captures] == [Outcome.OK] * 3
    assert [len(capture.payloads) for capture in captures] == [2] * 3
    assert captures[0].browser
    assert "chrom" in captures[0].browser.lower()
    assert not list((tmp_path / "chrome").iterdir())
    scratch.rmdir()  # fails unless it is empty
    wait_for_no_processes(tmp_path)


@pytest.fixture
def driver(lender: RunningLender) -> Iterator[Driver]:
    """The driver of a borrowed browser."""
    lease = lender.lease()
    try:
        yield lease.driver
    finally:
        lease.return_browser(pages=1)


def test_clearing_a_tab_deletes_what_a_page_stored(driver: Driver, site: Site) -> None:
    tab = Tab(driver)
    for _ in range(2):
        driver.get(site.page_url(make_idno(1)))
        assert driver.get_cookies() == []
        assert driver.execute_script("return localStorage.getItem('left')") is None
        driver.add_cookie({"name": "left", "value": "behind"})
        driver.execute_script("localStorage.setItem('left', 'behind')")
        tab.clear([site.url])


def test_tabs_share_no_cookies(driver: Driver, site: Site) -> None:
    for _ in range(2):
        Tab(driver)
        driver.get(site.page_url(make_idno(1)))
        assert driver.get_cookies() == []
        driver.add_cookie({"name": "left", "value": "behind"})


def test_browser_ends_when_the_process_that_started_it_is_killed(tmp_path: Path, site: Site) -> None:
    program = (
        "import sys, time\n"
        "from tests.pipeline.extract.crawling import settings_for\n"
        "from pipeline.extract.browser.chrome_session import chrome\n"
        "from pathlib import Path\n"
        "with chrome(settings_for(Path(sys.argv[1]), 'http://127.0.0.1:1')):\n"
        "    print('started', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    assert processes_of(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    wait_for("the end of the browser", lambda: not processes_of(tmp_path))
    wait_for("the end of its profile", lambda: not list((tmp_path / "chrome").iterdir()))


def test_error_names_a_program_that_is_not_a_browser(tmp_path: Path, site: Site) -> None:
    with (
        pytest.raises(BrowserNotStarted, match=r"/bin/true did not start"),
        chrome(settings_for(tmp_path, site.url, chrome_binary=Path("/bin/true"))),
    ):
        pass
    assert not list((tmp_path / "chrome").iterdir())
    wait_for_no_processes(tmp_path)
