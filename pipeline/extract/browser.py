"""A headless Chrome under Selenium, that never outlives the process that started it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.remote_connection import RemoteConnection
from urllib3.exceptions import HTTPError

from pipeline.extract import guard
from pipeline.settings import PipelineSettings

_QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    *("--disable-extensions", "--disable-default-apps", "--mute-audio", "--disable-quic", "--disable-gpu"),
    *("--no-default-browser-check", "--disable-features=Translate,OptimizationHints,MediaRouter"),
)


_HINT = (
    " (if Chrome's sandbox cannot work here, as in some containers, set REGISTRU_CHROME_NO_SANDBOX=true)"
    if os.geteuid() != 0
    else ""
)


class BrowserNotStarted(RuntimeError):
    """Chrome did not start; the message says which program and why."""


def first_line(error: Exception) -> str:
    """Return what an error says, without the driver's stack; its type where it says nothing."""
    text = str(getattr(error, "msg", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


@contextlib.contextmanager
def chrome(settings: PipelineSettings) -> Iterator[webdriver.Chrome]:
    """Start Chrome with a profile of its own and yield its driver; afterwards nothing of it is left.

    Raises BrowserNotStarted.
    """
    profiles = settings.work_dir / "chrome"
    profiles.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(dir=profiles))
    # Chrome makes sockets beside its profile, whose path may have 107 characters only.
    scratch = Path(tempfile.mkdtemp(prefix="registru-"))
    service = _GuardedService(settings.chromedriver, (profile, scratch))
    try:
        driver = _start(settings, service, profile)
        try:
            yield driver
        finally:
            with contextlib.suppress(WebDriverException, OSError, HTTPError):
                driver.quit()
    finally:
        service.end()
        for folder in (profile, scratch):
            shutil.rmtree(folder, ignore_errors=True)


def _start(settings: PipelineSettings, service: "_GuardedService", profile: Path) -> webdriver.Chrome:
    try:
        driver = webdriver.Chrome(options=_options(settings, profile), service=service)
    except (WebDriverException, HTTPError) as error:
        raise BrowserNotStarted(
            f"{settings.chrome_binary} did not start: {first_line(error)}{_HINT}"
        ) from error
    assert isinstance(driver.command_executor, RemoteConnection)
    driver.command_executor.client_config.timeout = int(settings.visit_timeout_seconds) + 10
    driver.set_page_load_timeout(settings.visit_timeout_seconds)
    driver.set_script_timeout(5)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "deny"})
    return driver


def _environment(scratch: Path) -> dict[str, str]:
    """What Chrome is told: none of the pipeline's secrets; what it writes on its own goes with it."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "REGISTRU_STACK")
    told = {name: os.environ[name] for name in kept if name in os.environ}
    return {**told, "HOME": str(scratch), "TMPDIR": str(scratch)}


class _GuardedService(webdriver.ChromeService):
    """chromedriver in a process group of its own, which a guard ends when this process is gone."""

    def __init__(self, program: Path, folders: tuple[Path, Path]) -> None:
        super().__init__(
            executable_path=str(program),
            env=_environment(folders[1]),
            popen_kw={"start_new_session": True},
        )
        self._folders = folders
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start chromedriver (the driver does it), and the guard beside it, whether it comes up or not."""
        try:
            super().start()
        finally:
            if getattr(self, "process", None) is not None:
                command = [
                    sys.executable,
                    "-I",
                    "-S",
                    guard.__file__,
                    str(self.process.pid),
                    *map(str, self._folders),
                ]
                self._guard = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    start_new_session=True,
                    env=_environment(self._folders[1]),
                )

    def end(self) -> None:
        """End chromedriver, and by the guard whatever it started."""
        with contextlib.suppress(WebDriverException, OSError):
            self.stop()
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard.wait()


def _options(settings: PipelineSettings, profile: Path) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.binary_location = str(settings.chrome_binary)
    # Selenium's own wait would be for the document, which is only a shell here.
    options.page_load_strategy = "none"
    options.unhandled_prompt_behavior = "dismiss"
    # chromedriver lets pages open windows, which would go on beside the next visit.
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    for argument in ("--headless=new", *_QUIET, f"--user-data-dir={profile}", "--window-size=1280,1024"):
        options.add_argument(argument)
    # Small in containers (64 MB): pages crash there.
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--user-agent=Mozilla/5.0 (compatible; Registru/0.1; +{settings.contact}) Chrome")
    if settings.chrome_no_sandbox or os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chrome refuses to run its sandbox as root
    return options
