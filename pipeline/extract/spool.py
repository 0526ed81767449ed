"""Captures on their way from the browser to the warehouse, as files, so that a crash in between loses none."""

import contextlib
import os
from pathlib import Path
from uuid import uuid4

from pipeline.extract.page_capture import Capture


def put(folder: Path, capture: Capture) -> Path:
    """Write a capture into `folder`, whole or not at all, and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{capture.idno}-{uuid4().hex}.json"
    unfinished = path.with_suffix(".part")
    unfinished.write_text(capture.model_dump_json(), encoding="utf-8")
    os.replace(unfinished, path)  # noqa: PTH105 - one atomic call
    return path


def list_captures(folder: Path) -> list[Path]:
    """Return the whole captures in a folder, the oldest first."""
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)


def get(path: Path) -> Capture:
    """Read a capture back."""
    return Capture.model_validate_json(path.read_text(encoding="utf-8"))


def remove(path: Path) -> None:
    """Forget a capture that the warehouse holds; the last one takes its folder along."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()
