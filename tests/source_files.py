"""The project's own Python files, for tests of rules that hold for all code."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from stack.home import PROJECT

PRODUCT_PACKAGES = (
    "api",
    "benchmarks",
    "deploy",
    "gateway",
    "pipeline",
    "stack",
    "standin",
    "telemetry",
    "warehouse",
)


def python_files(packages: Iterable[str]) -> list[Path]:
    """Return the Python files of top-level packages, relative to the project."""
    return sorted(
        path.relative_to(PROJECT) for package in packages for path in (PROJECT / package).rglob("*.py")
    )


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file; the path is relative to the project."""
    return ast.parse((PROJECT / path).read_bytes())
