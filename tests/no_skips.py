"""Turns each skipped test into a failure where REGISTRU_NO_SKIPS is set, as in CI.

A developer without Java, promtool or Playwright may skip their tests. CI installs all of them, so a skip there means
that something is missing and a behaviour is not tested.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def _fail_if_skipped(report: _Report) -> _Report:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("REGISTRU_NO_SKIPS"):
        _, _, reason = (
            report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
        )
        report.outcome = "failed"
        report.longrepr = f"REGISTRU_NO_SKIPS is set, so no test may be skipped. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail."""
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a skipped module fail."""
    return _fail_if_skipped((yield))
