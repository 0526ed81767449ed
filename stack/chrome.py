"""Finds Chrome or Chromium with the driver of the same version; `python -m stack.chrome` tells or installs."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.stack_error import StackError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_DEBIAN_PACKAGES = ("chromium", "chromium-driver")
_HELP = (
    "No Chrome or Chromium with its driver was found. Install both (Debian, Ubuntu: `apt-get install chromium"
    " chromium-driver`; elsewhere: Chrome and the chromedriver of the same version, on the PATH), or name them in"
    " REGISTRU_CHROME_BINARY and REGISTRU_CHROMEDRIVER."
)


@dataclass(frozen=True)
class Chrome:
    """The browser's and its driver's programs."""

    binary: Path
    driver: Path


def find_chrome() -> Chrome:
    """Return what the settings name, else what is on the PATH, else what Selenium Manager fetched before.

    Raises StackError with what to install.
    """
    named = os.environ.get("REGISTRU_CHROME_BINARY"), os.environ.get("REGISTRU_CHROMEDRIVER")
    if named[0] and named[1]:
        return Chrome(_program(named[0]), _program(named[1]))
    binary = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary and driver and _fit_together(binary, driver):
        return Chrome(Path(binary), Path(driver))
    if managed := _managed(online=False):
        return managed
    raise StackError(_HELP)


def install_chrome() -> Chrome:
    """Install Debian's packages (as root), or let Selenium Manager fetch a browser. Raises StackError."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' and '.join(_DEBIAN_PACKAGES)} with apt-get ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", *_DEBIAN_PACKAGES],
        ):
            subprocess.run(["apt-get", *command], env=environment, check=False, stdout=subprocess.DEVNULL)  # noqa: S607
    try:
        return find_chrome()
    except StackError:
        print("asking Selenium Manager to fetch a browser ...", flush=True)
        if managed := _managed(online=True):
            return managed
        raise


def _fit_together(binary: str, driver: str) -> bool:
    """Tell whether both run and are of one version. (Ubuntu's packages are stubs that ask for a snap.)"""
    versions = {_major_version(binary), _major_version(driver)}
    return len(versions) == 1 and None not in versions


def _major_version(program: str) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)\.\d+\.\d+", done.stdout)
    return match[1] if match and done.returncode == 0 else None


def _program(path: str) -> Path:
    if not os.access(path, os.X_OK):
        raise StackError(f"{path} (from REGISTRU_CHROME_BINARY or REGISTRU_CHROMEDRIVER) is no program")
    return Path(path)


def _managed(*, online: bool) -> Chrome | None:
    """What Selenium Manager has in its own folder, or (online) can fetch into it."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.selenium_manager import SeleniumManager

    arguments = ["--browser", "chrome", "--skip-driver-in-path", *([] if online else ["--offline"])]
    try:
        found = SeleniumManager().binary_paths(arguments)
    except (WebDriverException, OSError, ValueError):
        return None
    binary, driver = Path(found.get("browser_path") or ""), Path(found.get("driver_path") or "")
    return Chrome(binary, driver) if binary.is_file() and driver.is_file() else None


def main() -> int:
    """Find a browser or install one, and say which."""
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
