"""Reads docker-compose.yml as Docker Compose does: variables, merged parts, defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stack.home import PROJECT

COMPOSE_FILE = PROJECT / "docker-compose.yml"
ENV_EXAMPLE = PROJECT / ".env.example"
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<operator>:?[-?])(?P<rest>[^}]*))?\})")


class MissingVariable(Exception):
    """A variable that has to be set is not."""


@dataclass(frozen=True)
class Service:
    """A service, its environment as its container gets it."""

    name: str
    image: str
    target: str | None
    command: list[str] | None
    environment: dict[str, str]
    mounts: dict[str, str]
    """Where in the container which volume is."""
    tmpfs: list[str]
    depends_on: dict[str, str]
    """Services and the condition each has to be in."""
    health: list[str] | None
    stop_signal: str | None
    stop_seconds: float
    raw: dict[str, Any] = field(repr=False)


def raw_compose() -> dict[str, Any]:
    """Return the file as it is written, anchors resolved."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return content


def services(settings: Mapping[str, str], *, profile: str | None = None) -> dict[str, Service]:
    """Return the services without a profile, and those of one, in the order in which they can start.

    Raises MissingVariable.
    """
    content = interpolated(raw_compose()["services"], settings)
    found = {
        name: _service(name, body, settings)
        for name, body in content.items()
        if not body.get("profiles") or profile in body["profiles"]
    }
    ordered: dict[str, Service] = {}
    while len(ordered) < len(found):
        ready = [s for n, s in found.items() if n not in ordered and ordered.keys() >= s.depends_on.keys()]
        assert ready, f"depends_on goes round in a circle: {found.keys() - ordered.keys()}"
        ordered |= {service.name: service for service in ready}
    return ordered


def interpolated(value: Any, settings: Mapping[str, str]) -> Any:
    """Return a value of the file with its variables replaced. Raises MissingVariable."""
    if isinstance(value, dict):
        return {key: interpolated(each, settings) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, settings) for each in value]
    return _VARIABLE.sub(lambda found: _replaced(found, settings), value) if isinstance(value, str) else value


def _replaced(found: "re.Match[str]", settings: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    held, operator = settings.get(found["name"]), found["operator"] or ""
    if held or (held is not None and not operator.startswith(":")):
        return held
    if operator.endswith("?"):
        raise MissingVariable(f"{found['name']}: {found['rest']}")
    return str(found["rest"] or "")


def settings_of(env_file: Path) -> dict[str, str]:
    """Return what a .env file sets."""
    lines = (line.strip() for line in env_file.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _service(name: str, body: dict[str, Any], settings: Mapping[str, str]) -> Service:
    told = {key: settings.get(key) if value is None else value for key, value in body["environment"].items()}
    volumes = [volume.split(":")[:2] for volume in body.get("volumes", [])]
    depends_on = {
        each: how["condition"]
        for each, how in body.get("depends_on", {}).items()
        if how.get("required", True)
    }
    return Service(
        name=name,
        image=body["image"],
        target=body.get("build", {}).get("target"),
        command=[str(part) for part in body["command"]] if "command" in body else None,
        environment={key: str(value) for key, value in told.items() if value is not None},
        mounts={target: source for source, target in volumes},
        tmpfs=[each.split(":")[0] for each in body.get("tmpfs", [])],
        depends_on=depends_on,
        health=body["healthcheck"]["test"] if "healthcheck" in body else None,
        stop_signal=body.get("stop_signal"),
        stop_seconds=float(str(body.get("stop_grace_period", "10s")).removesuffix("s")),
        raw=body,
    )
