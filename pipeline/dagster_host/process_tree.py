"""Functions on Linux processes. The run server calls them, mostly for its own children.

Processes that a run spawns (multiprocessing) import the run server again, and with it this module. So this module
imports nothing heavy at its top.
"""

import contextlib
import os
import signal
import threading


def start_time(pid: int) -> float | None:
    """Return when a process was started, in seconds since 1970. Return None if it does not exist or has ended.

    The kernel reuses pids, so only a pid together with a start time identifies a process.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def kill_group(pid: int) -> None:
    """Kill the remaining processes of the process group whose leader has this pid. Do nothing if none remain."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def count_threads() -> int:
    """Return how many threads this process has, including those that Python did not start."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - faster than pathlib
    return threading.active_count()


def set_title(title: str) -> None:
    """Set the title of this process in the process list."""
    from setproctitle import setproctitle

    setproctitle(title)
