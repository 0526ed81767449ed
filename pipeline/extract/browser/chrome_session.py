"""A headless Chrome under Selenium: on this machine, never outliving the process that started it, or a remote one."""

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
from urllib.parse import urlsplit

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

_QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    *("--disable-extensions", "--disable-default-apps", "--mute-audio", "--disable-quic", "--disable-gpu"),
    *("--no-default-browser-check", "--disable-features=Translate,OptimizationHints,MediaRouter"),
)
_AWAKE = (
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
)
"""Pages of which another one is in front go on as fast; those that were left are gone (kept, they cost a quarter of
the CPU).
"""
_SCRIPT_SECONDS = 5
_STARTING_SECONDS = 60
_ENDING_SECONDS = 5
COMMAND_SECONDS = 15
"""No command takes long: pages are not waited for."""
_BIDI_SECONDS = 0.005
"""How often Selenium looks for the answer to a BiDi command; the default makes each take 0.1 s."""
_BIDI_ANSWER_SECONDS = 10
"""How long it waits for one: it does not see that the connection is gone."""

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


class RemoteChrome(webdriver.Remote):
    """A Chrome behind a Selenium Grid or another remote WebDriver, with what we use of Chrome's own commands."""

    def execute_cdp_cmd(self, cmd: str, cmd_args: dict[str, Any]) -> Any:
        """Send a command of the DevTools protocol to the current tab."""
        return self.execute("executeCdpCommand", {"cmd": cmd, "params": cmd_args})["value"]

    def get_log(self, log_type: str) -> Any:
        """Return what has come into a log since the last call."""
        return self.execute(Command.GET_LOG, {"type": log_type})["value"]


Driver = webdriver.Chrome | RemoteChrome


@contextlib.contextmanager
def chrome(settings: BrowserSettings) -> Iterator[Driver]:
    """Start Chrome and yield its driver; afterwards nothing of it is left. Raises BrowserNotStarted."""
    with _remote_chrome(settings) if settings.webdriver_url else _local_chrome(settings) as driver:
        assert isinstance(driver.command_executor, RemoteConnection)
        driver.command_executor.client_config.timeout = COMMAND_SECONDS
        driver.set_page_load_timeout(settings.visit_timeout_seconds)
        driver.set_script_timeout(_SCRIPT_SECONDS)
        try:
            yield driver
        finally:
            driver.command_executor.client_config.timeout = _ENDING_SECONDS
            # One that does not answer any more is ended all the same (a remote one by its own server). Not by
            # Chrome's own quit(), which waits for half a minute for a driver that hangs.
            with contextlib.suppress(WebDriverException, OSError, HTTPError):
                _let_go_of_bidi(driver)
                webdriver.Remote.quit(driver)


def _let_go_of_bidi(driver: Driver) -> None:
    """Have Selenium not wait for its thread that reads BiDi: it often sees only after ten seconds that it is over."""
    connection = getattr(driver, "_websocket_connection", None)
    if connection is not None:
        connection.response_wait_timeout = 0


@contextlib.contextmanager
def _remote_chrome(settings: BrowserSettings) -> Iterator[RemoteChrome]:
    address = str(settings.webdriver_url)
    try:
        driver = RemoteChrome(
            command_executor=connection_to(address, timeout=_STARTING_SECONDS), options=_options(settings)
        )
    except (WebDriverException, HTTPError, OSError) as error:
        raise BrowserNotStarted(
            f"{_without_password(address)} gives no browser: {first_line(error)}"
        ) from error
    yield driver


def connection_to(address: str, *, timeout: int) -> ChromiumRemoteConnection:
    """Return a connection to a driver that was started elsewhere; a command may take `timeout` seconds."""
    config = ClientConfig(
        remote_server_addr=address,
        timeout=timeout,
        websocket_timeout=_BIDI_ANSWER_SECONDS,
        websocket_interval=_BIDI_SECONDS,
    )
    return ChromiumRemoteConnection(
        remote_server_addr=address, vendor_prefix="goog", browser_name="chrome", client_config=config
    )


def _without_password(address: str) -> str:
    return urlsplit(address)._replace(netloc=urlsplit(address).netloc.rpartition("@")[2]).geturl()


@contextlib.contextmanager
def _local_chrome(settings: BrowserSettings) -> Iterator[webdriver.Chrome]:
    """A Chrome with a profile of its own, which goes with it."""
    profiles = settings.work_dir / "chrome"
    profiles.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(dir=profiles))
    # Chrome makes sockets beside its profile, whose path may have 107 characters only.
    scratch = Path(tempfile.mkdtemp(prefix="registru-"))
    assert settings.chromedriver is not None  # the settings see to it
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
            f"{settings.chrome_binary} did not start: {first_line(error)}{_HINT}"
        ) from error
    assert isinstance(driver.command_executor, RemoteConnection)
    driver.command_executor.client_config.websocket_interval = _BIDI_SECONDS
    driver.command_executor.client_config.websocket_timeout = _BIDI_ANSWER_SECONDS
    return driver


def megabytes_of(driver_process: int) -> float:
    """Return how much memory a driver on this machine and its browser take by themselves, by the driver's pid."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(driver_process).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().uss
    return total / 1024 / 1024


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
                    process_guard.__file__,
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
    options.web_socket_url = True  # BiDi: the one way to isolated tabs
    # Selenium's own wait would be for the document, which is only a shell here.
    options.page_load_strategy = "none"
    options.unhandled_prompt_behavior = "dismiss"
    # chromedriver lets pages open windows, which would go on beside the next visit.
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    for argument in ("--headless=new", *_QUIET, *_AWAKE, "--window-size=1280,1024"):
        options.add_argument(argument)
    # Small in containers (64 MB): pages crash there.
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--user-agent={settings.user_agent} Chrome")
    is_root_here = settings.webdriver_url is None and os.geteuid() == 0
    if settings.chrome_no_sandbox or is_root_here:
        options.add_argument("--no-sandbox")  # Chrome refuses to run its sandbox as root
    return options
