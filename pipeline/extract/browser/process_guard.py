"""Ends a browser when the process that started it is gone, however it went.

Run as a program of its own: `python guard.py PROCESS_GROUP FOLDER...`. It waits until its standard input is
closed (by the end of its parent, SIGKILL included), then kills the process group and removes the folders.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

_TRIES = 100


def main() -> None:
    """Wait for the parent's end, then leave no process and no folder."""
    group, folders = int(sys.argv[1]), sys.argv[2:]
    # A Ctrl-C in the terminal reaches the whole group; this one has to outlive it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.read()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    for folder in folders:
        for _ in range(_TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            if not os.path.exists(folder):  # noqa: PTH110 - quick to start matters here
                break
            time.sleep(0.05)  # a process that is just dying may still write into it


if __name__ == "__main__":
    main()
