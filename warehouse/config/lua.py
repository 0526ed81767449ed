"""Lua scripts that Redis runs: each is a `.lua` file next to the module that uses it."""

from pathlib import Path


def load_script(folder: Path, name: str) -> str:
    """Return the source of the Lua script `name` (without the suffix) in `folder`."""
    return (folder / f"{name}.lua").read_text(encoding="utf-8")
