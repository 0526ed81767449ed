"""Each image contains all files and packages that its programs import, including late imports."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from stack.home import PROJECT
from tests.deploy.dockerfile import images
from tests.deploy.image import closure, is_sent, requirements

PROGRAMS = {
    "api": ("api.main", "api.create_admin"),
    "dagster": (
        "pipeline.dagster_host.webserver",
        "pipeline.dagster_host.run_launcher",
        "pipeline.dagster_host.run_coordinator",
        "pipeline.dagster_host.instance_storage",
        "deploy.health",
    ),
    "migrate": ("deploy.migrate", "api.migrations.env", "warehouse.migrations.env"),
    "pipeline": (
        "pipeline.definitions",
        "pipeline.dagster_host.run_server",
        "pipeline.extract.browser.browser_lender",
        "pipeline.dagster_host.instance_storage",
        "deploy.health",
    ),
    "tools": ("stack.cli",),
}
"""The modules that each image starts or that dagster.yaml names. (Health checks are tested by running them; the API's
check is of HTTP and needs no gRPC.)
"""
SKIPPED = {"stack.demo"}
"""Modules of a command that no container runs."""
OURS = ("api", "benchmarks", "deploy", "gateway", "pipeline", "stack", "telemetry", "tests", "warehouse")


@pytest.mark.parametrize("target", PROGRAMS)
def test_image_contains_everything_that_its_programs_import(target: str) -> None:
    copied = [
        PROJECT / source for copy in images()[target].copies if not copy.stage for source in copy.sources
    ]
    [stage] = {copy.stage for copy in images()[target].copies if copy.stage}
    installed = set(closure(requirements(images()[stage])))
    providers = packages_distributions()

    for module, name in _imports(PROGRAMS[target]):
        top = name.partition(".")[0]
        if top in OURS:
            path = _file(name)
            assert path is None or any(path == source or source in path.parents for source in copied), (
                f"the image {target} runs {module}, which imports {name}: COPY it in deploy/docker/Dockerfile"
            )
        elif top not in sys.stdlib_module_names:
            assert installed.intersection(providers.get(top, ())), (
                f"the image {target} runs {module}, which imports {name}: its package is not in"
                f" deploy/docker/{stage.removeprefix('venv-')}.txt"
            )


def test_build_context_contains_no_state_and_no_secret() -> None:
    for kept in (".env", ".registru/secrets.json", ".git/config", "tests/conftest.py", "deploy.env"):
        assert not is_sent(kept)


def _imports(programs: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (module, imported name) for these modules and the project's modules that they import."""
    remaining, done = list(programs), set[str]()
    while remaining:
        module = remaining.pop()
        path = _file(module)
        if module in done or module in SKIPPED or path is None:
            continue
        done.add(module)
        yield module, module
        for name in _imported_by(path):
            yield module, name
            if name.partition(".")[0] in OURS:
                remaining.append(name)


def _imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    """Return a module's file, or None if the name is not a module of this project."""
    path = PROJECT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)
