"""Writes docs/configuration.md out of the settings classes; `python -m stack.settings_page` renews it."""

import pkgutil
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from stack.home import PROJECT

PAGE = PROJECT / "docs" / "configuration.md"
PREFIX = "REGISTRU_"
_PACKAGES = ("warehouse", "api", "pipeline", "telemetry")
_HEAD = """\
# Configuration

<!-- Written by `python -m stack.settings_page` out of the settings classes: change those, then run it. -->

Settings come from the environment, else from a file `.env` in the working folder. Each is named `REGISTRU_` and the
name below. A value that cannot be is refused at the start, with the name and what is allowed; a secret's value is never
shown.

`registru up` makes up the secrets, knows the addresses of what it starts, and passes on to each process only those
settings that it may need: where the column *default* says **needed**, it is set for you there. Where you start the
processes yourself (containers, other machines), you set it.
"""
_ELSEWHERE = """
## Read by `registru up`

| setting | default | meaning |
|---|---|---|
| `API_WORKERS` | 1 | Processes that serve the API; about one a core |
| `LAUNCHER` | warm | `celery`: runs are done by workers, on several machines ([scaling](scaling.md)) |
| `WARM_RUNS` | true | `false`: runs are started by Dagster's own launcher, seconds slower |
| `POSTGRES_CLIENT` | the wheel's | Folder of `pg_dump` and `pg_restore` for [backups](backup.md#containers-rds) |

## Read by the gateway's Caddyfile

| setting | default | meaning |
|---|---|---|
| `GATEWAY_ADDRESS` | **needed** | What it serves, as Caddy's site address: `http://:8000`, or a host name for TLS |
| `GATEWAY_BIND` | 127.0.0.1 | The addresses that it listens on |
| `TRUSTED_PROXIES` | none | The load balancer's addresses (CIDR): its word is taken for where a request comes from |
| `AUTO_HTTPS` | off | Caddy's option `auto_https`; the default leaves TLS to whoever stands before it |
| `API_UPSTREAM` | **needed** | The API's host and port; of several replicas with spaces between them |
| `API_REPLICAS` | one | `several`: replicas are asked in turn, those that do not answer left out |
| `DAGSTER_UPSTREAM`, `DAGSTER_READONLY_UPSTREAM` | **needed** | Host and port of Dagster's two webservers |
| `DAGSTER_KEY` | **needed** | What it shows to Dagster's webservers, as in the API's settings |

## Read by Dagster's `dagster.yaml` and `workspace.yaml`

| setting | default | meaning |
|---|---|---|
| `DAGSTER_DATABASE_URL` | **needed** | PostgreSQL URL of Dagster's own database |
| `CODE_SERVER_HOST`, `CODE_SERVER_PORT` | **needed** | Where the code server answers |
| `RUN_SERVER` | **needed** | The Unix socket of the process that forks runs |
| `COMPUTE_LOGS` | **needed** | The folder of what runs print |
| `CELERY_BROKER_URL` | **needed** with workers | Redis URL by which Celery's workers get runs |

## Read by `registru backup`, `restore` and `migrate` with `--external`

| setting | default | meaning |
|---|---|---|
| `USERS_OWNER_URL`, `WAREHOUSE_OWNER_URL` | **needed** | PostgreSQL URLs of the databases, as the roles that own them |
"""


def settings_page() -> str:
    """Return the page as it has to be."""
    return "\n".join([_HEAD, *(_section(settings) for settings in _settings_classes())]) + _ELSEWHERE


def _settings_classes() -> list[type[BaseSettings]]:
    for package in _PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if module.name.endswith("settings"):
                import_module(module.name)
    # Commands have some of their own, of settings that a program has too.
    found = [each for each in _below(BaseSettings) if _is_told(each)]
    return sorted(
        dict.fromkeys(found), key=lambda each: (_PACKAGES.index(each.__module__.split(".")[0]), each.__name__)
    )


def _is_told(settings: type[BaseSettings]) -> bool:
    package, _, module = settings.__module__.partition(".")
    is_elsewhere = package not in _PACKAGES or not module.endswith(("settings", "sources"))
    return bool(settings.model_fields) and not is_elsewhere


def _below(base: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def _section(settings: type[BaseSettings]) -> str:
    title = (settings.__doc__ or settings.__name__).splitlines()[0].partition(". ")[0].rstrip(".")
    rows = [
        f"| `{name.upper()}` | {_default(field)} | {_allowed(field)} | {_cell(field.description or '')} |"
        for name, field in settings.model_fields.items()
        if name in settings.__annotations__
    ]
    head = ["| setting | default | allowed | meaning |", "|---|---|---|---|"]
    return "\n".join(
        [f"## {title}", "", f"`{settings.__module__}.{settings.__name__}`", "", *head, *rows, ""]
    )


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "none" if field.default_factory is list else "by itself"
    if field.default is PydanticUndefined:
        return "**needed**"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if value is None:
        return "none"
    return _cell(str(value).lower() if isinstance(value, bool) else str(value))


def _allowed(field: FieldInfo) -> str:
    return _cell(", ".join([_type(field.annotation), *_bounds(field)]))


def _type(annotation: Any) -> str:
    if annotation is None:
        return ""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{getattr(value, 'value', value)}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return "JSON list"
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type(each) for each in get_args(annotation) if each is not NoneType)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    names = {bool: "true or false", int: "whole number", float: "number", Path: "path", SecretStr: "secret"}
    return names.get(annotation, "text")


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Gt):
            yield f"more than {bound.gt}"
        elif isinstance(bound, annotated_types.Ge):
            yield f"at least {bound.ge}"
        elif isinstance(bound, annotated_types.Le):
            yield f"at most {bound.le}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(settings_page())
