"""The folder in which all workers of a server store their counts, so that each can return the metrics of all.

This is prometheus_client's multiprocess mode. The folder's name contains the pid and the start time of the
process that started the workers, so that every start begins with an empty folder. Folders of earlier servers are
removed.
"""

import contextlib
import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

import psutil
from prometheus_client import multiprocess, values

_NAME = "registru-metrics-{user}-{pid}-{started}"
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_counts() -> Path | None:
    """Make this process store its counts in a folder that all workers share, and return the folder.

    Return None if this process is the only one: it needs no folder.

    Call this before the first metric is created. Raises RuntimeError if another user can access the folder.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return None
    folder = _folder_of(parent.pid, _started(parent.pid))
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise RuntimeError(f"{folder} exists, and other users can access it; delete it")
    _remove_folders_of_ended_servers(folder)
    os.environ[_VARIABLE] = str(folder)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call] # was chosen on import, before the folder was known
    forget_dead_workers(folder)
    return folder


def forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that died; their counters stay."""
    for pid in {int(file.stem.rsplit("_", 1)[1]) for file in folder.glob("gauge_live*.db")}:
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _started(pid: int) -> str | None:
    """Return a process's start time in ticks since boot, which no clock change affects; None if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _folder_of(pid: int, started: str | None) -> Path:
    return Path(tempfile.gettempdir()) / _NAME.format(user=os.getuid(), pid=pid, started=started)


def _remove_folders_of_ended_servers(own: Path) -> None:
    for folder in own.parent.glob(f"registru-metrics-{os.getuid()}-*-*"):
        _, pid, started = folder.name.rsplit("-", 2)
        if folder == own or not pid.isdigit():
            continue
        if _started(int(pid)) != started:
            shutil.rmtree(folder, ignore_errors=True)
