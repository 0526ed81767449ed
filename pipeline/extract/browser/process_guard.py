"""Guard program: kills a browser when the process that started it has ended, for whatever reason.

Usage: `python process_guard.py PROCESS_GROUP FOLDER...`. It waits until its standard input is closed, which happens
even if its parent is killed. Then it kills the process group and removes the folders.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

_REMOVE_ATTEMPTS = 100


def main() -> None:
    """Wait until the parent has ended; then kill the process group and remove the folders."""
    group, folders = int(sys.argv[1]), sys.argv[2:]
    # Ctrl-C in the terminal reaches the whole process group; the guard must survive it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.read()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    for folder in folders:
        for _ in range(_REMOVE_ATTEMPTS):
            shutil.rmtree(folder, ignore_errors=True)
            if not os.path.exists(folder):  # noqa: PTH110 - without pathlib the guard starts faster
                break
            time.sleep(0.05)  # a dying process may still write into the folder


if __name__ == "__main__":
    main()
