"""The spool: files with a run's captures, kept until the warehouse has stored these, so a crash loses no capture."""

import contextlib
from pathlib import Path
from uuid import uuid4

from pipeline.extract.page_capture import Capture
from warehouse.atomic_file import write_atomically


def put(folder: Path, capture: Capture) -> Path:
    """Write a capture atomically into a new file in `folder`. Return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{capture.idno}-{uuid4().hex}.json"
    write_atomically(path, capture.model_dump_json())
    return path


def list_captures(folder: Path) -> list[Path]:
    """Return the files of all complete captures in `folder`, the oldest first."""
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)


def get(path: Path) -> Capture:
    """Read a capture from its file."""
    return Capture.model_validate_json(path.read_text(encoding="utf-8"))


def remove(path: Path) -> None:
    """Delete the file of a capture that the warehouse has stored, and its folder if it is then empty."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()
