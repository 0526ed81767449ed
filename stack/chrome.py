"""Finds Chrome or Chromium and a driver of the same version.

`python -m stack.chrome` prints their paths. If they are missing, it installs them first.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.stack_error import StackError

_BROWSERS = (
    # The headless shell is Chrome without a window's parts. A visit needs 40 % less CPU time with it.
    *("chromium-headless-shell", "chrome-headless-shell"),
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
)
"""The names of browsers on the PATH, the preferred first."""
_DEBIAN_PACKAGES = ("chromium", "chromium-driver")
_DEBIAN_HEADLESS = "chromium-headless-shell"
"""Older releases do not have this package; Chromium is used there."""
_HELP = (
    "no Chrome or Chromium with a matching driver was found. Install both (Debian, Ubuntu: `apt-get install chromium"
    " chromium-driver`; elsewhere: put Chrome and a chromedriver of the same version on the PATH), or set"
    " REGISTRU_CHROME_BINARY and REGISTRU_CHROMEDRIVER to their paths"
)


@dataclass(frozen=True)
class Chrome:
    """The paths of a browser and its driver."""

    binary: Path
    driver: Path


def find_chrome() -> Chrome:
    """Return a browser: from the settings, otherwise from the PATH, otherwise from Selenium Manager's folder.

    If there is none, raises StackError, whose message says what to install.
    """
    configured = os.environ.get("REGISTRU_CHROME_BINARY"), os.environ.get("REGISTRU_CHROMEDRIVER")
    if configured[0] and configured[1]:
        return Chrome(_executable(configured[0]), _executable(configured[1]))
    if driver := shutil.which("chromedriver"):
        for binary in filter(None, map(shutil.which, _BROWSERS)):
            if _have_same_version(binary, driver):
                return Chrome(Path(binary), Path(driver))
    if managed := _selenium_manager_chrome(online=False):
        return managed
    raise StackError(_HELP)


def install_chrome() -> Chrome:
    """Install Debian's packages (as root), or download a browser with Selenium Manager. Raises StackError."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' and '.join(_DEBIAN_PACKAGES)} with apt-get ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ("install", "-y", "-qq", "--no-install-recommends")
        for command in (
            ["update", "-qq"],
            [*install, *_DEBIAN_PACKAGES],
            [*install, _DEBIAN_HEADLESS],
        ):
            subprocess.run(
                ["apt-get", *command],  # noqa: S607
                env=environment,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if _DEBIAN_HEADLESS in command else None,
            )
    try:
        return find_chrome()
    except StackError:
        print("downloading a browser with Selenium Manager ...", flush=True)
        if managed := _selenium_manager_chrome(online=True):
            return managed
        raise


def _have_same_version(binary: str, driver: str) -> bool:
    """Return whether both programs run and have the same major version.

    A program on the PATH may fail to run: Ubuntu's packages contain only a pointer to a snap.
    """
    versions = {_major_version(binary), _major_version(driver)}
    return len(versions) == 1 and None not in versions


def _major_version(program: str) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)\.\d+\.\d+", done.stdout)
    return match[1] if match and done.returncode == 0 else None


def _executable(path: str) -> Path:
    if not os.access(path, os.X_OK):
        raise StackError(
            f"{path} (from REGISTRU_CHROME_BINARY or REGISTRU_CHROMEDRIVER) is not an executable file"
        )
    return Path(path)


def _selenium_manager_chrome(*, online: bool) -> Chrome | None:
    """Return the browser in Selenium Manager's folder. If it is missing, download it if `online`, else return None."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.selenium_manager import SeleniumManager

    arguments = ["--browser", "chrome", "--skip-driver-in-path", *([] if online else ["--offline"])]
    try:
        paths = SeleniumManager().binary_paths(arguments)
    except (WebDriverException, OSError, ValueError):
        return None
    binary, driver = Path(paths.get("browser_path") or ""), Path(paths.get("driver_path") or "")
    return Chrome(binary, driver) if binary.is_file() and driver.is_file() else None


def main() -> int:
    """Find or install a browser, and print its path."""
    try:
        chrome = find_chrome()
    except StackError:
        try:
            chrome = install_chrome()
        except StackError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"browser: {chrome.binary}, driver: {chrome.driver}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
