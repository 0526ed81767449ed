"""Builds an image's files in a folder: the files of its COPY lines, and a venv with only the packages it installs."""

import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from stack.home import PROJECT
from tests.deploy.dockerfile import Copy, Image, images

VENV = "/opt/venv"


def build(target: str, folder: Path) -> Image:
    """Build an image's files in `folder`, as its root, and return the image's description."""
    image = images()[target]
    for copy in image.copies:
        if copy.stage is None:
            _copy(copy, folder)
        elif copy.target == VENV:
            _make_venv(folder / VENV.lstrip("/"), requirements(images()[copy.stage]))
    code = folder / "opt" / "registru"
    if code.exists():
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(code)], check=True)
    return image


def _copy(copy: Copy, folder: Path) -> None:
    target = folder / copy.target.lstrip("/")
    into = copy.target.endswith("/")
    for source in copy.sources:
        path = PROJECT / source
        assert is_sent(source), f"{source} is copied, but .dockerignore excludes it from the build"
        assert path.exists(), f"{source} is copied, but does not exist"
        if path.is_dir():
            # With its bytecode, which stays valid because the files keep their times: it need not be compiled again.
            incomplete = shutil.ignore_patterns("*.pyc.*")
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=incomplete)
        else:
            destination = target / path.name if into else target
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)


def is_sent(source: str) -> bool:
    """Return whether .dockerignore admits a file to the build. It lists the admitted top-level folders."""
    rules = [
        line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    assert rules[0] == "*"
    return f"!{PurePosixPath(source).parts[0]}" in rules


def requirements(stage: Image) -> list[Requirement]:
    """Return the packages that a stage installs, from the list that it copies."""
    [path] = [
        source
        for copy in stage.copies
        for source in copy.sources
        if source.startswith("deploy/docker/") and source.endswith(".txt")
    ]
    lines = (PROJECT / path).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def closure(wanted: list[Requirement]) -> dict[str, Distribution]:
    """Return these packages and all their dependencies, as installed here, by name."""
    packages: dict[str, Distribution] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    remaining = list(wanted)
    while remaining:
        requirement = remaining.pop()
        if (requirement.name, frozenset(requirement.extras)) in done:
            continue
        done.add((requirement.name, frozenset(requirement.extras)))
        package = distribution(requirement.name)
        packages[package.metadata["Name"]] = package
        for text in package.requires or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                remaining.append(needed)
    return packages


def _make_venv(folder: Path, wanted: list[Requirement]) -> None:
    """Create a venv whose packages are links to those of the current one."""
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    for package in (*closure(wanted).values(), distribution("registru")):
        for name in _top_level(package):
            link = site / name
            if not link.is_symlink():
                link.symlink_to(Path(str(package.locate_file(name))))


def _top_level(package: Distribution) -> set[str]:
    """Return what a package adds to site-packages, without the link to this checkout, which no image has."""
    names = {PurePosixPath(str(file)).parts[0] for file in package.files or []}
    return {
        name for name in names if name not in ("..", "__pycache__") and not name.startswith("__editable__")
    }
