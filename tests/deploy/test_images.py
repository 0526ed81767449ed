"""Each image brings the files and the packages that what it runs imports, also what is imported late."""

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
"""What each image starts by name, and what is named in dagster.yaml. (Health checks show themselves when they run;
the API's, of HTTP, needs no gRPC.)
"""
LEFT_OUT = {"stack.demo"}
"""Imported by a command that is for no container."""
OURS = ("api", "benchmarks", "deploy", "gateway", "pipeline", "stack", "telemetry", "tests", "warehouse")


@pytest.mark.parametrize("target", PROGRAMS)
def test_what_it_runs_is_there_with_all_that_it_imports(target: str) -> None:
    copied = [PROJECT / each for copy in images()[target].copies if not copy.stage for each in copy.sources]
    [stage] = {copy.stage for copy in images()[target].copies if copy.stage}
    installed = set(closure(requirements(images()[stage])))
    providers = packages_distributions()

    for module, name in _imports(PROGRAMS[target]):
        top = name.partition(".")[0]
        if top in OURS:
            path = _file(name)
            assert path is None or any(path == each or each in path.parents for each in copied), (
                f"the image {target} runs {module}, which imports {name}: COPY it in deploy/docker/Dockerfile"
            )
        elif top not in sys.stdlib_module_names:
            assert installed.intersection(providers.get(top, ())), (
                f"the image {target} runs {module}, which imports {name}: its package is not in"
                f" deploy/docker/{stage.removeprefix('venv-')}.txt"
            )


def test_a_build_is_sent_no_state_and_no_secret() -> None:
    for kept in (".env", ".registru/secrets.json", ".git/config", "tests/conftest.py", "deploy.env"):
        assert not is_sent(kept)


def _imports(programs: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield every import of these modules and of ours that they import: who, and whom."""
    left, done = list(programs), set[str]()
    while left:
        module = left.pop()
        path = _file(module)
        if module in done or module in LEFT_OUT or path is None:
            continue
        done.add(module)
        yield module, module
        for name in _imported_by(path):
            yield module, name
            if name.partition(".")[0] in OURS:
                left.append(name)


def _imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    """Return a module's file; None for a name that is none of ours, or something in a module."""
    path = PROJECT / module.replace(".", "/")
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists()), None)
