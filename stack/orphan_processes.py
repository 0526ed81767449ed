"""Finds and terminates the processes that a killed platform left running."""

import contextlib
import shutil
from collections.abc import Iterator

import psutil

from stack.home import Home
from stack.processes import HOME_VARIABLE

_GRACE_SECONDS = 10


def terminate_orphans(home: Home) -> int:
    """Terminate all processes of a home whose platform no longer runs. Return their number.

    Also remove the profiles of their browsers: a power failure kills the guards that would have removed them.
    """
    orphans = list(processes_of(home))
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(orphans, timeout=_GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)
    shutil.rmtree(home.browser_profiles, ignore_errors=True)
    return len(orphans)


def processes_of(home: Home) -> Iterator[psutil.Process]:
    """Yield every process of a home, except this process and its parents."""
    ourselves = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in ourselves and _belongs_to(process, home):
                yield process


def _belongs_to(process: psutil.Process, home: Home) -> bool:
    # Chrome overwrites its environment in /proc. Its command line names its profile folder instead.
    profile = f"--user-data-dir={home.work}/"
    if any(argument.startswith(profile) for argument in process.cmdline()):
        return True
    return bool(process.environ().get(HOME_VARIABLE) == str(home.path))
