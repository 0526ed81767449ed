"""Meter of one measurement: its duration, its CPU time, and the CPU time of other processes."""

import contextlib
import os
import time
from collections.abc import Collection

import psutil


class Meter:
    """Measures the fetching of pages; the caller calls `count` after each page.

    The first `warm_up` pages are not measured: they fill the browser's tabs and caches. The next `pages` pages are
    measured. The caller fetches some more pages, so that all tabs stay busy until the last measured page is counted.

    After the last measured page, `seconds` is the duration and `cpu_seconds` the CPU time of this process and its
    descendants, browser included. `other_cores` is the number of cores that other processes kept busy.

    Args:
        warm_up: The number of pages before the measurement.
        pages: The number of measured pages.
        foreign: The pids of processes that are not counted anywhere: the stand-in sites and Valkey.
    """

    def __init__(self, *, warm_up: int, pages: int, foreign: Collection[int]) -> None:
        self._foreign = foreign
        self._starts_at, self._stops_at = warm_up, warm_up + pages
        self._counted = 0
        self._began = (0.0, 0.0, 0.0)
        self.seconds = self.cpu_seconds = self.other_cores = 0.0

    def count(self) -> None:
        """Count one fetched page. Call this before the browser quits, because the CPU time of its processes is read."""
        self._counted += 1
        if self._counted == self._starts_at:
            self._began = self._now()
        elif self._counted == self._stops_at:
            passed = (now - then for then, now in zip(self._began, self._now(), strict=True))
            self.seconds, self.cpu_seconds, others = passed
            self.other_cores = max(0.0, others - self.cpu_seconds) / self.seconds

    def _now(self) -> tuple[float, float, float]:
        """Return the time, the CPU seconds of our processes, and those of the machine without the foreign processes."""
        return time.monotonic(), self._cpu_of(self._own()), _busy_of_machine() - self._cpu_of(self._foreign)

    def _own(self) -> list[int]:
        this = psutil.Process()
        return [
            os.getpid(),
            *(each.pid for each in this.children(recursive=True) if each.pid not in self._foreign),
        ]

    @staticmethod
    def _cpu_of(pids: Collection[int]) -> float:
        """Return the CPU seconds of these processes, including those of their children that have ended."""
        total = 0.0
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(psutil.Process(pid).cpu_times()[:4])
        return total


def _busy_of_machine() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
