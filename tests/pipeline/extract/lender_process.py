"""A browser lender that runs as a program of its own, as in production."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.extract.browser.browser_lender import Lease, borrow
from stack.home import PROJECT
from tests.pipeline.extract.crawling import installed_chrome
from tests.polling import wait_for


@dataclass
class RunningLender:
    """A running lender with one browser."""

    process: "subprocess.Popen[bytes]"
    socket: Path

    def lease(self) -> Lease:
        """Borrow the browser as soon as it is free."""
        return wait_for("a browser", lambda: borrow(self.socket))

    def browsers(self) -> list[psutil.Process]:
        """Return the processes of the browsers and their drivers."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running_lender(folder: Path, **settings: str) -> Iterator[RunningLender]:
    """Run a lender with its files in `folder` until the block ends."""
    chrome = installed_chrome()
    socket = folder / "browsers.sock"
    values = {
        "BROWSER_LENDER": str(socket),
        "WARM_BROWSERS": "1",
        "CHROME_BINARY": str(chrome.binary),
        "CHROMEDRIVER": str(chrome.driver),
        "WORK_DIR": str(folder),
        **settings,
    }
    environment = {**os.environ, **{f"REGISTRU_{name}": value for name, value in values.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.extract.browser.browser_lender"], env=environment, cwd=PROJECT
    )
    try:
        wait_for("the lender", socket.exists)
        yield RunningLender(process, socket)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
