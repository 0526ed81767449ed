"""The four tiers of the test suite: what a test starts decides how cheap it is and when it is run.

A test belongs to the highest tier among the fixtures that it uses, directly or through other fixtures. Whatever starts
a program requests one of the fixtures `starts_stores`, `starts_browser` and `starts_platform`; everything else is in
the tier `unit`, whose tests cannot start any program.
"""

import subprocess
from collections.abc import Generator
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest


class Tier(IntEnum):
    """What a test starts; a higher tier costs more."""

    UNIT = 0
    """Nothing."""
    STORES = 1
    """PostgreSQL, Valkey, or other programs that start within about a second; no browser."""
    BROWSER = 2
    """Chrome, with or without stores."""
    PLATFORM = 3
    """Several servers that work together, Dagster's among them."""


_TIERS = {
    "starts_stores": Tier.STORES,
    "starts_browser": Tier.BROWSER,
    "starts_platform": Tier.PLATFORM,
}
_NAMES = [tier.name.lower() for tier in Tier]


@pytest.fixture(scope="session")
def starts_stores() -> None:
    """Put all tests that use this fixture into the tier `stores`."""


@pytest.fixture(scope="session")
def starts_browser() -> None:
    """Put all tests that use this fixture into the tier `browser`."""


@pytest.fixture(scope="session")
def starts_platform() -> None:
    """Put all tests that use this fixture into the tier `platform`."""


def tier_of(item: pytest.Item) -> Tier:
    """Return the tier of a test."""
    names = getattr(item, "fixturenames", ())
    return max((_TIERS[name] for name in names if name in _TIERS), default=Tier.UNIT)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--tier`."""
    parser.addoption(
        "--tier", action="append", choices=_NAMES, help="run only the tests of this tier (may be given again)"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the chosen tiers and put the most expensive files first.

    Parallel workers take whole files in this order, so the last ones are short and all workers end together.
    """
    if chosen := config.getoption("tier"):
        tiers = {Tier[name.upper()] for name in chosen}
        config.hook.pytest_deselected(items=[item for item in items if tier_of(item) not in tiers])
        items[:] = [item for item in items if tier_of(item) in tiers]
    tier_of_file: dict[Path, Tier] = {}
    for item in items:
        tier_of_file[item.path] = max(tier_of(item), tier_of_file.get(item.path, Tier.UNIT))
    items.sort(key=lambda item: tier_of_file[item.path], reverse=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no unit test start a program, so that the fixtures of the tiers cannot be forgotten."""
    with pytest.MonkeyPatch.context() as patch:
        if tier_of(item) is Tier.UNIT:
            patch.setattr(subprocess.Popen, "__init__", _refuse)
        return (yield)


_start = subprocess.Popen.__init__


def _refuse(process: "subprocess.Popen[bytes]", command: Any, *arguments: Any, **options: Any) -> None:
    if command[0] == "file":  # Python's `platform` calls it, and Dagster calls `platform` when it is imported
        _start(process, command, *arguments, **options)
        return
    names = ", ".join(_TIERS)
    raise AssertionError(f"a unit test may start no program; request the fixture that fits: {names}")
