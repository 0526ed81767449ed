"""Reads the Dockerfile: the files of each image, and how it starts."""

import io
import json
import shlex
from dataclasses import dataclass, field, replace
from functools import cache

from dockerfile_parse import DockerfileParser

from stack.home import PROJECT

DOCKERFILE = PROJECT / "deploy" / "docker" / "Dockerfile"


@dataclass(frozen=True)
class Copy:
    """A COPY instruction; `stage` is the stage that it copies from, if any."""

    sources: list[str]
    target: str
    stage: str | None = None


@dataclass(frozen=True)
class Image:
    """A stage, including everything that it inherits from earlier stages."""

    base: str = ""
    """The third-party image that it starts from, or the argument that names it."""
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    copies: tuple[Copy, ...] = ()
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] | None = None
    stop_signal: str = "SIGTERM"


@cache
def images() -> dict[str, Image]:
    """Return all stages of the Dockerfile by name."""
    stages: dict[str, Image] = {}
    name = ""
    for step in DockerfileParser(fileobj=io.BytesIO(DOCKERFILE.read_bytes())).structure:
        instruction, value = step["instruction"], step["value"]
        if instruction == "FROM":
            base, _, name = value.split()
            stages[name] = stages.get(base, Image(base=base))
        elif name:
            stages[name] = _with_instruction(stages[name], instruction, value)
    return stages


def _with_instruction(image: Image, instruction: str, value: str) -> Image:
    match instruction:
        case "ENV":
            new = dict(pair.split("=", 1) for pair in shlex.split(value))
            return replace(image, environment={**image.environment, **new})
        case "WORKDIR":
            return replace(image, folder=value)
        case "USER":
            return replace(image, user=value)
        case "COPY":
            return replace(image, copies=(*image.copies, _copy(image, value)))
        case "ENTRYPOINT":
            return replace(image, entrypoint=json.loads(value))
        case "CMD":
            return replace(image, command=json.loads(value))
        case "STOPSIGNAL":
            return replace(image, stop_signal=value)
        case "HEALTHCHECK":
            command = value.partition("CMD")[2].strip()
            return replace(image, health=["CMD", *json.loads(command)] if command else None)
    return image


def _copy(image: Image, value: str) -> Copy:
    words = value.split()
    stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
    *sources, target = words
    if not target.startswith("/"):
        target = f"{image.folder.rstrip('/')}/{target}"
    return Copy(sources, target, stage)
