"""Polling: a test waits until a condition holds."""

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


def wait_for(
    awaited: str, probe: Callable[[], _Value | None], *, seconds: float = 60, pause_seconds: float = 0.1
) -> _Value:
    """Call `probe` until it returns a true value, and return that value.

    Args:
        awaited: What the test waits for; named in the failure.
        probe: Called again after each pause.
        seconds: Timeout, after which the test fails.
        pause_seconds: Pause between two calls.
    """
    deadline = time.monotonic() + seconds
    while True:
        if value := probe():
            return value
        assert time.monotonic() < deadline, f"timeout after {seconds} s: {awaited}"
        time.sleep(pause_seconds)
