"""Chrome as the pipeline starts it: nothing of it is left, and one that does not start is an outcome."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from pipeline.extract.browser import BrowserNotStarted, chrome
from pipeline.extract.visit import visit
from pipeline.settings import PipelineSettings
from stack.chrome import find_chrome
from stack.home import PROJECT
from tests.platform import wait_for
from tests.site import CASES, CaseName
from tests.site.server import Site
from warehouse.contract import Outcome


def settings_for(work_dir: Path, site_url: str, chrome_binary: Path | None = None) -> PipelineSettings:
    """Return settings for a browser on its own."""
    found = find_chrome()
    return PipelineSettings(
        warehouse_url="postgresql+psycopg2://nowhere/none",
        redis_state_url="redis://nowhere/0",
        redis_cache_url="redis://nowhere/1",
        site_url=site_url,
        site_rate=0,
        chrome_binary=chrome_binary or found.binary,
        chromedriver=found.driver,
        work_dir=work_dir,
    )


def _processes(work_dir: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(work_dir) in argument for argument in process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_nothing_of_a_visit_leaks_into_the_next_and_nothing_is_left(tmp_path: Path, site: Site) -> None:
    idno = CASES[CaseName.FOUND].idno
    scratch = set(Path(tempfile.gettempdir()).glob("registru-*"))
    with chrome(settings_for(tmp_path, site.url)) as driver:
        first = visit(driver, site.page_url(idno), idno, timeout_seconds=20)
        driver.add_cookie({"name": "left", "value": "behind"})
        driver.execute_script("localStorage.setItem('left', 'behind')")
        second = visit(driver, site.page_url(idno), idno, timeout_seconds=20)
        assert driver.get_cookies() == []
        assert driver.execute_script("return localStorage.getItem('left')") is None

    assert first.outcome is second.outcome is Outcome.OK
    assert len(first.payloads) == len(second.payloads) == 2
    assert first.browser
    assert "chrom" in first.browser.lower()
    assert not list((tmp_path / "chrome").iterdir())
    assert set(Path(tempfile.gettempdir()).glob("registru-*")) <= scratch
    assert _processes(tmp_path) == []


def test_a_browser_ends_with_the_process_that_started_it_however_that_ends(
    tmp_path: Path, site: Site
) -> None:
    program = (
        "import sys, time\n"
        "from tests.pipeline.extract.test_browser import settings_for, chrome\n"
        "from pathlib import Path\n"
        "with chrome(settings_for(Path(sys.argv[1]), 'http://127.0.0.1:1')):\n"
        "    print('started', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    assert _processes(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    wait_for("the end of the browser", lambda: not _processes(tmp_path))
    wait_for("the end of its profile", lambda: not list((tmp_path / "chrome").iterdir()))


def test_a_program_that_is_no_browser_is_named(tmp_path: Path, site: Site) -> None:
    with (
        pytest.raises(BrowserNotStarted, match=r"/bin/true did not start"),
        chrome(settings_for(tmp_path, site.url, Path("/bin/true"))),
    ):
        pass
    assert not list((tmp_path / "chrome").iterdir())
    assert _processes(tmp_path) == []
