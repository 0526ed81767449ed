"""Builds an image's files into a folder: what its COPY lines bring, and a venv of nothing but what it installs."""

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
    """Put an image's files into `folder`, as if that were its root; return what else is said of it."""
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
        found = PROJECT / source
        assert is_sent(source), f"{source} is copied, but .dockerignore keeps it out of the build"
        assert found.exists(), f"{source} is copied, but is not there"
        if found.is_dir():
            compiled = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(found, target, dirs_exist_ok=True, ignore=compiled)
        else:
            place = target / found.name if into else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, place)


def is_sent(source: str) -> bool:
    """Tell whether .dockerignore lets a file into the build: it lists what may, by its first folder."""
    rules = [
        line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    assert rules[0] == "*"
    return f"!{PurePosixPath(source).parts[0]}" in rules


def requirements(stage: Image) -> list[Requirement]:
    """What a stage installs: the list that it copies."""
    [path] = [
        source
        for copy in stage.copies
        for source in copy.sources
        if source.startswith("deploy/docker/") and source.endswith(".txt")
    ]
    lines = (PROJECT / path).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def closure(wanted: list[Requirement]) -> dict[str, Distribution]:
    """Return all that is installed with these packages, by name, as it is installed here."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    left = list(wanted)
    while left:
        each = left.pop()
        if (each.name, frozenset(each.extras)) in done:
            continue
        done.add((each.name, frozenset(each.extras)))
        package = distribution(each.name)
        found[package.metadata["Name"]] = package
        for text in package.requires or []:
            needed = Requirement(text)
            extras = each.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(needed)
    return found


def _make_venv(folder: Path, wanted: list[Requirement]) -> None:
    """Make a venv whose packages are links to those of this one."""
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    for package in (*closure(wanted).values(), distribution("registru")):
        for name in _top_level(package):
            link = site / name
            if not link.is_symlink():
                link.symlink_to(Path(str(package.locate_file(name))))


def _top_level(package: Distribution) -> set[str]:
    """What a package puts into site-packages (a link to this checkout's code is nothing of an image)."""
    names = {PurePosixPath(str(file)).parts[0] for file in package.files or []}
    return {
        name for name in names if name not in ("..", "__pycache__") and not name.startswith("__editable__")
    }
