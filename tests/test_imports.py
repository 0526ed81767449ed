"""The rules of imports between packages: import-linter enforces them, and private modules of Dagster are restricted."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.home import PROJECT
from tests.source_files import PRODUCT_PACKAGES, python_files, syntax_tree

_INTERNALS = Path("pipeline/dagster_host/internals.py")


@pytest.mark.usefixtures("starts_stores")
def test_packages_import_only_what_the_contracts_allow() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_internals_imports_private_dagster_modules() -> None:
    # Import-linter sees no deeper than the external package `dagster`.
    private = {
        path: [name for name in _imports(path) if name.startswith("dagster._")]
        for path in python_files(PRODUCT_PACKAGES)
    }
    assert private.pop(_INTERNALS)
    assert {str(path): names for path, names in private.items() if names} == {}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
