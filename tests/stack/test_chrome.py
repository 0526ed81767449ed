"""The search for a browser: which of the programs on the PATH is used."""

from pathlib import Path

import pytest

from stack.chrome import find_chrome
from stack.stack_error import StackError

DRIVER = "chromedriver"
SHELL = "chromium-headless-shell"


@pytest.fixture
def programs(starts_stores: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH; no browser is configured or downloaded."""
    for name in ("REGISTRU_CHROME_BINARY", "REGISTRU_CHROMEDRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("stack.chrome._selenium_manager_chrome", lambda *, online: None)
    return tmp_path


def _install(folder: Path, version: str, *names: str) -> None:
    for name in names:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {name} {version}\n")
        program.chmod(0o755)


def test_headless_shell_is_preferred_to_chromium(programs: Path) -> None:
    _install(programs, "156.0.1", DRIVER, SHELL, "chromium")
    assert find_chrome().binary == programs / SHELL


def test_chromium_is_used_without_a_headless_shell(programs: Path) -> None:
    _install(programs, "156.0.1", DRIVER, "chromium")
    assert find_chrome().binary == programs / "chromium"


def test_browser_of_another_version_than_the_driver_is_passed_over(programs: Path) -> None:
    _install(programs, "155.0.9", SHELL)
    _install(programs, "156.0.1", DRIVER, "chromium")
    assert find_chrome().binary == programs / "chromium"


def test_message_says_what_to_install_if_nothing_fits(programs: Path) -> None:
    _install(programs, "155.0.9", SHELL, "chromium")
    _install(programs, "156.0.1", DRIVER)
    with pytest.raises(StackError, match="apt-get install chromium chromium-driver"):
        find_chrome()


def test_configured_browser_is_used_whatever_is_on_the_path(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(programs, "156.0.1", DRIVER, SHELL, "own-chrome")
    monkeypatch.setenv("REGISTRU_CHROME_BINARY", str(programs / "own-chrome"))
    monkeypatch.setenv("REGISTRU_CHROMEDRIVER", str(programs / DRIVER))
    assert find_chrome().binary == programs / "own-chrome"
