"""Reads docker-compose.yml like Docker Compose: with variables, merged parts and defaults."""

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
    """A required variable is not set."""


@dataclass(frozen=True)
class Service:
    """A service with the environment that its container gets."""

    name: str
    image: str
    target: str | None
    command: list[str] | None
    environment: dict[str, str]
    mounts: dict[str, str]
    """The volumes by their path in the container."""
    tmpfs: list[str]
    depends_on: dict[str, str]
    """The required condition of each service that this one depends on."""
    health: list[str] | None
    start_interval_seconds: float
    """The pause between two health checks until the first success."""
    stop_signal: str | None
    stop_seconds: float
    raw: dict[str, Any] = field(repr=False)


def raw_compose() -> dict[str, Any]:
    """Return the content of the file, with anchors resolved."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return content


def services(settings: Mapping[str, str], *, profile: str | None = None) -> dict[str, Service]:
    """Return the services without a profile and those of `profile`, in an order in which they can start.

    Raises MissingVariable.
    """
    content = interpolated(raw_compose()["services"], settings)
    selected = {
        name: _service(name, body, settings)
        for name, body in content.items()
        if not body.get("profiles") or profile in body["profiles"]
    }
    ordered: dict[str, Service] = {}
    while len(ordered) < len(selected):
        ready = [
            service
            for name, service in selected.items()
            if name not in ordered and ordered.keys() >= service.depends_on.keys()
        ]
        assert ready, f"depends_on has a cycle: {selected.keys() - ordered.keys()}"
        ordered |= {service.name: service for service in ready}
    return ordered


def interpolated(value: Any, settings: Mapping[str, str]) -> Any:
    """Return a value of the file with its variables replaced. Raises MissingVariable."""
    if isinstance(value, dict):
        return {key: interpolated(member, settings) for key, member in value.items()}
    if isinstance(value, list):
        return [interpolated(item, settings) for item in value]
    return (
        _VARIABLE.sub(lambda variable: _replaced(variable, settings), value)
        if isinstance(value, str)
        else value
    )


def _replaced(variable: "re.Match[str]", settings: Mapping[str, str]) -> str:
    if variable["dollar"]:
        return "$"
    setting, operator = settings.get(variable["name"]), variable["operator"] or ""
    if setting or (setting is not None and not operator.startswith(":")):
        return setting
    if operator.endswith("?"):
        raise MissingVariable(f"{variable['name']}: {variable['rest']}")
    return str(variable["rest"] or "")


def settings_of(env_file: Path) -> dict[str, str]:
    """Return the settings of a .env file."""
    lines = (line.strip() for line in env_file.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _service(name: str, body: dict[str, Any], settings: Mapping[str, str]) -> Service:
    environment = {
        key: settings.get(key) if value is None else value for key, value in body["environment"].items()
    }
    volumes = [volume.split(":")[:2] for volume in body.get("volumes", [])]
    depends_on = {
        needed: options["condition"]
        for needed, options in body.get("depends_on", {}).items()
        if options.get("required", True)
    }
    return Service(
        name=name,
        image=body["image"],
        target=body.get("build", {}).get("target"),
        command=[str(part) for part in body["command"]] if "command" in body else None,
        environment={key: str(value) for key, value in environment.items() if value is not None},
        mounts={target: source for source, target in volumes},
        tmpfs=[mount.split(":")[0] for mount in body.get("tmpfs", [])],
        depends_on=depends_on,
        health=body["healthcheck"]["test"] if "healthcheck" in body else None,
        start_interval_seconds=_seconds(body.get("healthcheck", {}).get("start_interval", "1s")),
        stop_signal=body.get("stop_signal"),
        stop_seconds=_seconds(body.get("stop_grace_period", "10s")),
        raw=body,
    )


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
