"""A headless Chrome under Selenium: on this machine, or behind a remote WebDriver.

A Chrome on this machine never outlives the process that started it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection
from urllib3.exceptions import HTTPError

from pipeline.extract.browser import process_guard
from pipeline.settings import BrowserSettings

_QUIET_FLAGS = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    *("--disable-extensions", "--disable-default-apps", "--mute-audio", "--disable-quic", "--disable-gpu"),
    *("--no-default-browser-check", "--disable-features=Translate,OptimizationHints,MediaRouter"),
)
_BACKGROUND_FLAGS = (
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
)
"""Let background pages run at full speed. Do not cache pages that a tab has left; this cache takes a quarter of the
CPU time."""
SCRIPT_TIMEOUT_SECONDS = 5
_START_TIMEOUT_SECONDS = 60
_QUIT_TIMEOUT_SECONDS = 5
COMMAND_TIMEOUT_SECONDS = 15
"""The maximum duration of a driver command. All commands are short, because none waits for a page to load."""
_BIDI_POLL_SECONDS = 0.005
"""How often Selenium polls for the answer to a BiDi command; with Selenium's default, each command takes 0.1 s."""
_BIDI_TIMEOUT_SECONDS = 10
"""How long Selenium waits for the answer to a BiDi command. Selenium does not notice a lost connection."""

_SANDBOX_HINT = (
    " (if Chrome's sandbox cannot work here, as in some containers, set REGISTRU_CHROME_NO_SANDBOX=true)"
    if os.geteuid() != 0
    else ""
)


class BrowserNotStarted(RuntimeError):
    """Chrome did not start; the message names the program and the cause."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's message (without the driver's stack), or its type if there is no message."""
    text = str(getattr(error, "msg", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class RemoteChrome(webdriver.Remote):
    """A Chrome behind a Selenium Grid or another remote WebDriver, with the Chrome-specific commands that we use."""

    def execute_cdp_cmd(self, cmd: str, cmd_args: dict[str, Any]) -> Any:
        """Send a DevTools protocol command to the current tab."""
        return self.execute("executeCdpCommand", {"cmd": cmd, "params": cmd_args})["value"]

    def get_log(self, log_type: str) -> Any:
        """Return the entries that were added to a log since the last call."""
        return self.execute(Command.GET_LOG, {"type": log_type})["value"]


Driver = webdriver.Chrome | RemoteChrome


@contextlib.contextmanager
def chrome(settings: BrowserSettings) -> Iterator[Driver]:
    """Start Chrome and yield its driver; afterwards end its processes and remove its files.

    Raises BrowserNotStarted.
    """
    with _remote_chrome(settings) if settings.webdriver_url else _local_chrome(settings) as driver:
        assert isinstance(driver.command_executor, RemoteConnection)
        driver.command_executor.client_config.timeout = COMMAND_TIMEOUT_SECONDS
        driver.set_page_load_timeout(settings.visit_timeout_seconds)
        driver.set_script_timeout(SCRIPT_TIMEOUT_SECONDS)
        try:
            yield driver
        finally:
            driver.command_executor.client_config.timeout = _QUIT_TIMEOUT_SECONDS
            # Errors do not matter: a local browser is killed afterwards, and a remote server ends its browser itself.
            # webdriver.Chrome's quit() is avoided because it waits half a minute for a driver that hangs.
            with contextlib.suppress(WebDriverException, OSError, HTTPError):
                _detach_bidi(driver)
                webdriver.Remote.quit(driver)


def _detach_bidi(driver: Driver) -> None:
    """Keep Selenium from waiting for its BiDi thread, which may notice the end of the session ten seconds late."""
    connection = getattr(driver, "_websocket_connection", None)
    if connection is not None:
        connection.response_wait_timeout = 0


@contextlib.contextmanager
def _remote_chrome(settings: BrowserSettings) -> Iterator[RemoteChrome]:
    address = str(settings.webdriver_url)
    try:
        driver = RemoteChrome(
            command_executor=driver_connection(address, timeout_seconds=_START_TIMEOUT_SECONDS),
            options=_options(settings),
        )
    except (WebDriverException, HTTPError, OSError) as error:
        raise BrowserNotStarted(
            f"{_without_password(address)} provided no browser: {first_line(error)}"
        ) from error
    yield driver


def driver_connection(address: str, *, timeout_seconds: int) -> ChromiumRemoteConnection:
    """Return a connection to a driver that another process started; `timeout_seconds` limits each command."""
    login, address = urlsplit(address), _without_password(address)
    config = ClientConfig(
        remote_server_addr=address,
        username=unquote(login.username or ""),
        password=unquote(login.password or ""),
        timeout=timeout_seconds,
        websocket_timeout=_BIDI_TIMEOUT_SECONDS,
        websocket_interval=_BIDI_POLL_SECONDS,
    )
    return ChromiumRemoteConnection(
        remote_server_addr=address, vendor_prefix="goog", browser_name="chrome", client_config=config
    )


def _without_password(address: str) -> str:
    return urlsplit(address)._replace(netloc=urlsplit(address).netloc.rpartition("@")[2]).geturl()


@contextlib.contextmanager
def _local_chrome(settings: BrowserSettings) -> Iterator[webdriver.Chrome]:
    """Start a Chrome with a profile of its own; remove the profile afterwards."""
    profiles = settings.work_dir / "chrome"
    profiles.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(dir=profiles))
    # Chrome creates sockets in TMPDIR; their paths may have 107 characters at most, so the folder needs a short path.
    scratch = Path(tempfile.mkdtemp(prefix="registru-"))
    assert settings.chromedriver is not None  # validated by BrowserSettings
    service = _GuardedService(settings.chromedriver, (profile, scratch))
    try:
        yield _start(settings, service, profile)
    finally:
        service.end()
        for folder in (profile, scratch):
            shutil.rmtree(folder, ignore_errors=True)


def _start(settings: BrowserSettings, service: "_GuardedService", profile: Path) -> webdriver.Chrome:
    options = _options(settings)
    options.binary_location = str(settings.chrome_binary)
    options.add_argument(f"--user-data-dir={profile}")
    try:
        driver = webdriver.Chrome(options=options, service=service)
    except (WebDriverException, HTTPError) as error:
        raise BrowserNotStarted(
            f"{settings.chrome_binary} did not start: {first_line(error)}{_SANDBOX_HINT}"
        ) from error
    assert isinstance(driver.command_executor, RemoteConnection)
    driver.command_executor.client_config.websocket_interval = _BIDI_POLL_SECONDS
    driver.command_executor.client_config.websocket_timeout = _BIDI_TIMEOUT_SECONDS
    return driver


def browser_memory_mb(driver_process: int) -> float:
    """Return the memory of a browser in MB, without memory that its processes share.

    `driver_process` is the pid of the driver that started the browser.
    """
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(driver_process).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().uss
    return total / 1024 / 1024


def _chrome_environment(scratch: Path) -> dict[str, str]:
    """Return Chrome's environment: without the pipeline's secrets, and with `scratch` as its folder for files."""
    passed_on = ("PATH", "LANG", "LC_ALL", "TZ", "REGISTRU_STACK")
    inherited = {name: os.environ[name] for name in passed_on if name in os.environ}
    return {**inherited, "HOME": str(scratch), "TMPDIR": str(scratch)}


class _GuardedService(webdriver.ChromeService):
    """chromedriver in a process group of its own. A guard process kills this group when the current process ends."""

    def __init__(self, program: Path, folders: tuple[Path, Path]) -> None:
        super().__init__(
            executable_path=str(program),
            env=_chrome_environment(folders[1]),
            popen_kw={"start_new_session": True},
        )
        self._folders = folders
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start chromedriver; start its guard even if chromedriver then fails. Selenium's driver calls this method."""
        try:
            super().start()
        finally:
            if getattr(self, "process", None) is not None:
                command = [
                    sys.executable,
                    "-I",
                    "-S",
                    process_guard.__file__,
                    str(self.process.pid),
                    *map(str, self._folders),
                ]
                self._guard = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    start_new_session=True,
                    env=_chrome_environment(self._folders[1]),
                )

    def end(self) -> None:
        """Kill chromedriver's process group. Then wait until the guard has removed the folders."""
        if getattr(self, "process", None) is not None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard.wait()


def _options(settings: BrowserSettings) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.web_socket_url = True  # BiDi is the only protocol that can open isolated tabs
    # Otherwise Selenium would wait until the document is loaded, which is only an empty shell on this site.
    options.page_load_strategy = "none"
    options.unhandled_prompt_behavior = "dismiss"
    # chromedriver turns Chrome's popup blocker off by default; windows that a page opened would stay open during the
    # next visit.
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    for argument in ("--headless=new", *_QUIET_FLAGS, *_BACKGROUND_FLAGS, "--window-size=1280,1024"):
        options.add_argument(argument)
    # /dev/shm is small in containers (64 MB), and pages crash there.
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--user-agent={settings.user_agent} Chrome")
    is_root_here = settings.webdriver_url is None and os.geteuid() == 0
    if settings.chrome_no_sandbox or is_root_here:
        options.add_argument("--no-sandbox")  # Chrome refuses to run its sandbox as root
    return options
