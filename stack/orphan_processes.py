"""What a platform that was killed left running."""

import contextlib
from collections.abc import Iterator

import psutil

from stack.home import Home
from stack.processes import MARK

_GRACE_SECONDS = 10


def end_leftovers(home: Home) -> int:
    """End every process that belongs to a home and to nobody any more; return how many there were."""
    found = list(processes_of(home))
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=_GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)
    return len(found)


def processes_of(home: Home) -> Iterator[psutil.Process]:
    """Yield every process of a home but the caller and its parents."""
    ourselves = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in ourselves and _belongs(process, home):
                yield process


def _belongs(process: psutil.Process, home: Home) -> bool:
    # Chrome writes over the environment it shows; its profile folder gives it away.
    profile = f"--user-data-dir={home.work}/"
    if any(argument.startswith(profile) for argument in process.cmdline()):
        return True
    return bool(process.environ().get(MARK) == str(home.path))
