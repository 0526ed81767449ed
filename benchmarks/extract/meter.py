"""Measures the time and CPU of one run, and the CPU that other processes used in that time."""

import contextlib
import os
import time
from collections.abc import Collection

import psutil


class Meter:
    """Measures the fetching of `pages` pages, after a warm-up in which the browser fills its tabs and caches.

    Pages after the measured ones keep the other tabs as busy as at the start of the measurement.

    Afterwards `seconds` is the duration, `cpu_seconds` the CPU time of this process and its descendants (including the
    browser), and `other_cores` the number of cores that other processes kept busy. `foreign` are the pids of our own
    processes that are excluded: the site and Valkey.
    """

    def __init__(self, *, warm_up: int, pages: int, foreign: Collection[int]) -> None:
        self._foreign = foreign
        self._starts_at, self._stops_at = warm_up, warm_up + pages
        self._counted = 0
        self._began = (0.0, 0.0, 0.0)
        self.seconds = self.cpu_seconds = self.other_cores = 0.0

    def count(self) -> None:
        """Count a fetched page; call it while the browser is still running."""
        self._counted += 1
        if self._counted == self._starts_at:
            self._began = self._now()
        elif self._counted == self._stops_at:
            passed = (now - then for then, now in zip(self._began, self._now(), strict=True))
            self.seconds, self.cpu_seconds, others = passed
            self.other_cores = max(0.0, others - self.cpu_seconds) / self.seconds

    def _now(self) -> tuple[float, float, float]:
        """Return the time, our CPU seconds, and those of the whole machine without the foreign processes."""
        return time.monotonic(), self._cpu_of(self._own()), _busy_of_machine() - self._cpu_of(self._foreign)

    def _own(self) -> list[int]:
        this = psutil.Process()
        return [
            os.getpid(),
            *(each.pid for each in this.children(recursive=True) if each.pid not in self._foreign),
        ]

    @staticmethod
    def _cpu_of(pids: Collection[int]) -> float:
        """Return the CPU seconds of processes, including their children that have ended."""
        total = 0.0
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(psutil.Process(pid).cpu_times()[:4])
        return total


def _busy_of_machine() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
