"""Generates docs/configuration.md from the settings classes: run `python -m stack.settings_page`."""

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
_PACKAGES = ("warehouse", "api", "pipeline", "telemetry")
_HEAD = """\
# Configuration

<!-- Written by `python -m stack.settings_page` from the settings classes: change those, then run it. -->

Each setting is an environment variable: `REGISTRU_` followed by the name below. Settings can also come from a file
`.env` in the working folder, from files of secrets, or from AWS Secrets Manager ([secrets](secrets.md)). A process
refuses to start with an invalid value; its message names the setting and what is allowed, and never shows the value.

`registru up` generates the secrets, knows the addresses of the servers that it starts, and passes to each process only
the settings that its class below declares. Settings whose default is **required** are set by `registru up`. Where you
start the processes yourself (containers, other machines), you have to set them.
"""
_OTHER_SETTINGS = """
## Read by `registru up`

| setting | default | meaning |
|---|---|---|
| `API_WORKERS` | 1 | Number of processes that serve the API; about one for each core |
| `LAUNCHER` | warm | `warm`: this machine forks runs. `celery`: workers execute them ([scaling](scaling.md)) |
| `WARM_RUNS` | true | `false`: Dagster's default launcher starts runs, which takes seconds longer |
| `POSTGRES_CLIENT` | the wheel's | Folder with `pg_dump` and `pg_restore` for [backups](backup.md#containers-rds) |

## Read by the gateway's Caddyfile

| setting | default | meaning |
|---|---|---|
| `GATEWAY_ADDRESS` | **required** | Caddy's site address: `http://:8000`, or a host name for TLS |
| `GATEWAY_BIND` | 127.0.0.1 | Address on which the gateway listens |
| `GATEWAY_STREAM_TIMEOUT` | 1m | Lifetime of a WebSocket; the page reconnects if its session is valid |
| `TRUSTED_PROXIES` | none | Addresses (CIDR) of load balancers whose forwarded client address is trusted |
| `AUTO_HTTPS` | off | Caddy's option `auto_https`; with the default, a load balancer in front provides TLS |
| `API_UPSTREAM` | **required** | Host and port of the API; several replicas are separated by spaces |
| `API_REPLICAS` | one | `several`: requests go to the replicas in turn, except those that do not answer |
| `DAGSTER_UPSTREAM`, `DAGSTER_READONLY_UPSTREAM` | **required** | Host and port of Dagster's two webservers |
| `DAGSTER_KEY` | **required** | Key that the gateway sends to Dagster's webservers; the same as in the API's settings |

## Read by Dagster's `dagster.yaml` and `workspace.yaml`

| setting | default | meaning |
|---|---|---|
| `DAGSTER_DATABASE_URL` | **required** | PostgreSQL URL of Dagster's own database |
| `CODE_SERVER_HOST`, `CODE_SERVER_PORT` | **required** | Host and port of the code server |
| `RUN_SERVER` | **required** | Unix socket of the run server, which forks runs |
| `COMPUTE_LOGS` | **required** | Folder for the output of runs |
| `CELERY_BROKER_URL` | **required** with workers | Redis URL of Celery's broker, from which workers take runs |

## Read by `registru backup`, `restore` and `migrate` with `--external`

| setting | default | meaning |
|---|---|---|
| `USERS_OWNER_URL`, `WAREHOUSE_OWNER_URL` | **required** | PostgreSQL URLs of the databases, in their owners' roles |
"""


def settings_page() -> str:
    """Return the text of the page."""
    return "\n".join([_HEAD, *(_section(settings) for settings in _settings_classes())]) + _OTHER_SETTINGS


def _settings_classes() -> list[type[BaseSettings]]:
    for package in _PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if module.name.endswith("settings"):
                import_module(module.name)
    # Settings classes of commands are left out: they repeat settings of a program.
    documented = [settings for settings in _subclasses(BaseSettings) if _is_documented(settings)]
    return sorted(
        dict.fromkeys(documented),
        key=lambda settings: (_PACKAGES.index(settings.__module__.split(".")[0]), settings.__name__),
    )


def _is_documented(settings: type[BaseSettings]) -> bool:
    package, _, module = settings.__module__.partition(".")
    is_other_module = package not in _PACKAGES or not module.endswith(("settings", "sources"))
    return bool(settings.model_fields) and not is_other_module


def _subclasses(base: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


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
        return "none" if field.default_factory is list else "automatic"
    if field.default is PydanticUndefined:
        return "**required**"
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
        return " or ".join(_type(option) for option in get_args(annotation) if option is not NoneType)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
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
