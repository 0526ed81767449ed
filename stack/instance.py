"""Prints dagster.yaml: the file in dagster_home/, with some sections replaced by those of the chosen launcher.

python -m stack.instance --launcher celery > "$DAGSTER_HOME/dagster.yaml"
"""

import argparse
import sys
from enum import StrEnum
from typing import Any

import yaml

from stack.home import PROJECT
from stack.stack_error import StackError


class Launcher(StrEnum):
    """Where runs are executed, and how they are started there."""

    WARM = "warm"
    """Runs are forked from a warm process on this machine."""
    CELERY = "celery"
    """Celery workers on any number of machines execute runs."""
    ECS = "ecs"
    """Each run is a task of Amazon ECS."""


_SECTIONS = {
    Launcher.CELERY: PROJECT / "deploy" / "celery" / "dagster.yaml",
    Launcher.ECS: PROJECT / "deploy" / "aws" / "dagster.yaml",
}


def launcher_named(name: str) -> Launcher:
    """Return a launcher by its name. Raises StackError for an unknown name."""
    try:
        return Launcher(name)
    except ValueError:
        raise StackError(
            f"REGISTRU_LAUNCHER={name}: unknown launcher; allowed: {', '.join(Launcher)}"
        ) from None


def instance_yaml(launcher: Launcher) -> str:
    """Return the text of dagster.yaml. Each section of a launcher's file replaces the whole default section."""
    default = (PROJECT / "dagster_home" / "dagster.yaml").read_text()
    if launcher not in _SECTIONS:
        return default
    sections: dict[str, Any] = {
        **yaml.safe_load(default),
        **yaml.safe_load(_SECTIONS[launcher].read_text()),
    }
    return yaml.safe_dump(sections, sort_keys=False)


def main() -> None:
    """Print dagster.yaml."""
    parser = argparse.ArgumentParser(prog="python -m stack.instance", description=__doc__)
    parser.add_argument(
        "--launcher",
        choices=list(Launcher),
        type=Launcher,
        default=Launcher.WARM,
        help="how runs are launched (default: warm)",
    )
    sys.stdout.write(instance_yaml(parser.parse_args().launcher))


if __name__ == "__main__":
    main()
