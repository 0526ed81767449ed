"""Rules for names and sizes: each class and each module has a name of its own, and product files stay short."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from stack.home import PROJECT
from tests.source_files import PRODUCT_PACKAGES, python_files, syntax_tree

MAX_LINES = 400
SHARED_MODULE_NAMES = {
    *("__init__", "__main__", "conftest"),
    *("endpoints", "service", "repository", "schemas", "settings"),  # each folder of a domain has these
    *("rounds", "report", "plot"),  # each benchmark has these
    "env",  # Alembic requires this name
}


def is_migration(path: Path) -> bool:
    return path.parent.name == "versions" and path.parent.parent.name == "migrations"


def is_test(path: Path) -> bool:
    return path.parts[0] == "tests"


def classes_in(node: ast.AST, *, with_nested: bool) -> Iterator[str]:
    """Yield the names of all classes; without `with_nested`, not those inside of a class or a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield child.name
        is_scope = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if with_nested or not is_scope:
            yield from classes_in(child, with_nested=with_nested)


def shared_names(paths_by_name: Mapping[str, list[str]]) -> str:
    """Return the names that occur more than once, with their files."""
    return "; ".join(
        f"{name} in {', '.join(paths)}" for name, paths in sorted(paths_by_name.items()) if len(paths) > 1
    )


def test_each_class_has_a_unique_name() -> None:
    paths = defaultdict[str, list[str]](list)
    for path in python_files((*PRODUCT_PACKAGES, "tests")):
        for name in classes_in(syntax_tree(path), with_nested=not is_test(path)):
            paths[name].append(str(path))
    shared = shared_names(paths)
    assert not shared, f"classes share a name: {shared}"


def test_each_module_has_a_unique_name() -> None:
    paths = defaultdict[str, list[str]](list)
    for path in python_files((*PRODUCT_PACKAGES, "tests")):
        if path.stem not in SHARED_MODULE_NAMES and not is_migration(path):
            paths[path.stem].append(str(path))
    shared = shared_names(paths)
    assert not shared, f"modules share a name: {shared}"


def test_product_files_have_at_most_400_lines() -> None:
    lines = {
        str(path): len((PROJECT / path).read_text(encoding="utf-8").splitlines())
        for path in python_files(PRODUCT_PACKAGES)
        if not is_migration(path)
    }
    too_long = ", ".join(f"{path} ({count})" for path, count in lines.items() if count > MAX_LINES)
    assert not too_long, f"files with more than {MAX_LINES} lines: {too_long}"
