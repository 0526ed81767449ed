"""Atomic file writes: a reader sees the old file or the complete new one, never a part of it."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write `text` (UTF-8) to a temporary file next to `path`, then move it there.

    `mode` holds the permissions of the new file, before the umask is applied. The temporary file has the name of `path`
    with the suffix `.part`. If a killed process has left a file with this name, that file is replaced.
    """
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(unfinished, path)  # noqa: PTH105 - one atomic call
