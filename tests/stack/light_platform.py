"""`registru up` with two idle processes instead of the platform's own: `python -m tests.stack.light_platform HOME`.

The lock of the home, the supervisor, the watch over it and the shutdown are those of the real command.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from stack import cli, platform
from stack.chrome import Chrome
from stack.home import Home
from stack.ports import free_ports
from stack.processes import PLATFORM, STORES, Ports, ProcessPlan, Program, Source
from stack.secrets import load_or_create
from stack.supervisor import Supervisor, starting_supervisor

_IDLE = [sys.executable, "-c", "import time; time.sleep(3600)"]


def _plan(home: Home, source: Source, port: int | None) -> ProcessPlan:
    nowhere = Path("none")
    return ProcessPlan(
        home, Ports(*free_ports(9)), load_or_create(home.secrets), Chrome(nowhere, nowhere), source
    )


def _programs(_: ProcessPlan) -> list[Program]:
    return [Program("store", STORES, _IDLE), Program("service", PLATFORM, _IDLE)]


def _start(plan: ProcessPlan, started: list[Program], supervisor: Supervisor, **_: Any) -> None:
    for group in (STORES, PLATFORM):
        supervisor.start(group)
    while set(supervisor.states().values()) != {"RUNNING"}:
        time.sleep(0.05)


def run(home: str) -> int:
    """Run the command until a signal or a failure ends it. Return its exit status."""
    with (
        patch.multiple(
            platform,
            _make_plan=_plan,
            programs=_programs,
            _start=_start,
            # The idle processes need no Dagster.
            starting_supervisor=partial(starting_supervisor, warm=False),
        ),
        patch.object(cli, "_WATCH_SECONDS", 0.2),
    ):
        return cli.main(["up", "--home", home, "--site", "http://127.0.0.1:9", "--port", "0"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
