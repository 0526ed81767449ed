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

from pipeline.extract import guard
from pipeline.settings import PipelineSettings

_QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    *("--disable-extensions", "--disable-default-apps", "--mute-audio", "--disable-quic", "--disable-gpu"),
    *("--no-default-browser-check", "--disable-features=Translate,OptimizationHints,MediaRouter"),
)


class BrowserNotStarted(RuntimeError):
    """Chrome did not start; the message says which program and why."""


@contextlib.contextmanager
def chrome(settings: PipelineSettings) -> Iterator[webdriver.Chrome]:
    """Start Chrome with a profile of its own and yield its driver; afterwards nothing of it is left.

    Raises BrowserNotStarted.
    """
    profiles = settings.work_dir / "chrome"
    profiles.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(dir=profiles))
    service = webdriver.ChromeService(
        executable_path=str(settings.chromedriver),
        # What Chrome writes beside its profile is to go with it.
        env={**os.environ, "TMPDIR": str(profile)},
        popen_kw={"start_new_session": True},
    )
    try:
        with _guarded(service, profile):
            driver = _start(settings, service, profile)
            try:
                yield driver
            finally:
                with contextlib.suppress(WebDriverException, OSError):
                    driver.quit()
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def _start(settings: PipelineSettings, service: webdriver.ChromeService, profile: Path) -> webdriver.Chrome:
    try:
        driver = webdriver.Chrome(options=_options(settings, profile), service=service)
    except WebDriverException as error:
        raise BrowserNotStarted(f"{settings.chrome_binary} did not start: {error.msg}") from error
    driver.set_page_load_timeout(settings.visit_timeout_seconds)
    driver.set_script_timeout(5)
    assert isinstance(driver.command_executor, RemoteConnection)
    driver.command_executor.client_config.timeout = int(settings.visit_timeout_seconds) + 10
    return driver


def _options(settings: PipelineSettings, profile: Path) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.binary_location = str(settings.chrome_binary)
    # Selenium's own wait would be for the document, which is only a shell here.
    options.page_load_strategy = "none"
    options.unhandled_prompt_behavior = "dismiss"
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


@contextlib.contextmanager
def _guarded(service: webdriver.ChromeService, profile: Path) -> Iterator[None]:
    """Start the driver's process with a guard beside it that ends its process group with this process."""
    try:
        service.start()
    except WebDriverException as error:
        raise BrowserNotStarted(f"{service.path} did not start: {error.msg}") from error
    group = service.process.pid
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, str(group), str(profile)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert watcher.stdin is not None
    try:
        yield
    finally:
        with contextlib.suppress(WebDriverException, OSError):
            service.stop()
        watcher.stdin.close()
        watcher.wait()
