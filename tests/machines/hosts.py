"""Two machines on one: each host has a network namespace, a home and processes of its own.

Where there may be no namespaces (not root), a host is a home and processes of its own, on the machine's loopback.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from stack.home import PROJECT, Home
from stack.orphan_processes import processes_of
from stack.processes import MARK
from tests.platform_harness import Platform

_NETWORK = "10.231"
_IP = shutil.which("ip") or ""


@dataclass
class Host:
    """A machine that takes part in the work of a platform."""

    name: str
    home: Home
    number: int | None
    """Of its namespace; None: it has none."""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a process on this host; what it prints goes into a file of its home."""
        inside = [_IP, "netns", "exec", self.namespace] if self.number is not None else []
        log = self.home.logs / f"{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*inside, *command],
                cwd=PROJECT,
                env={**environment, MARK: str(self.home.path)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    @property
    def namespace(self) -> str:
        """The name of its network namespace."""
        return f"registru-{os.getpid()}-{self.number}"

    def is_ready(self) -> bool:
        """Tell whether what was started last, a worker, takes runs."""
        log = self.home.logs / f"{len(self.processes) - 1}.log"
        return f"{self.name} ready" in log.read_text(errors="replace")

    def processes_named(self, part: str) -> list[psutil.Process]:
        """Return this host's processes whose program's path has this part."""
        found = []
        for process in self._alive():
            with contextlib.suppress(psutil.Error):
                if part in "".join(process.cmdline()[:1]):  # one that is just ending has none
                    found.append(process)
        return found

    def kill(self) -> int:
        """End every process of this host at once, as a power cut does; return how many there were."""
        killed: set[int] = set()
        while found := self._alive():
            for process in found:
                with contextlib.suppress(psutil.Error):
                    process.kill()
                    killed.add(process.pid)
            psutil.wait_procs(found, timeout=5)
            for each in self.processes:
                each.poll()
        return len(killed)

    def _alive(self) -> list[psutil.Process]:
        pids = {process.pid for process in processes_of(self.home)}
        if self.number is not None:
            inside = subprocess.run([_IP, "netns", "pids", self.namespace], capture_output=True, text=True)
            pids |= {int(pid) for pid in inside.stdout.split()}
        alive = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(process)
        return alive


def has_namespaces() -> bool:
    """Tell whether this process may make network namespaces."""
    if not _IP:
        return False
    name = f"registru-probe-{os.getpid()}"
    made = subprocess.run([_IP, "netns", "add", name], capture_output=True)
    subprocess.run([_IP, "netns", "delete", name], capture_output=True)
    return made.returncode == 0


@contextlib.contextmanager
def running_hosts(platform: Platform, folder: Path, names: Sequence[str]) -> Iterator[list[Host]]:
    """Yield hosts that reach a platform's stores and its site; nothing of them is left afterwards."""
    separate = has_namespaces()
    hosts = [
        Host(name, Home.at(folder / name), number if separate else None)
        for number, name in enumerate(names, start=1)
    ]
    with contextlib.ExitStack() as stack:
        for host in hosts:
            stack.callback(host.kill)
            if host.number is not None:
                stack.enter_context(_network(host, _ports(platform)))
        yield hosts


def _ports(platform: Platform) -> list[str]:
    site = (urlsplit(platform.site.url).port, urlsplit(platform.site.api_url).port)
    return [*map(str, (platform.ports["postgres"], platform.ports["valkey"], *site))]


@contextlib.contextmanager
def _network(host: Host, ports: Sequence[str]) -> Iterator[None]:
    """A namespace, a cable to it, and the way from its loopback to ours for some ports."""
    name, ours, theirs = host.namespace, f"rg{os.getpid() % 100_000}a{host.number}", f"rg{host.number}b"
    here, there = f"{_NETWORK}.{host.number}.1", f"{_NETWORK}.{host.number}.2"
    forward = [sys.executable, "-m", "tests.machines.forward"]
    _ip("netns", "add", name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        _ip("address", "add", f"{here}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", name, "address", "add", f"{there}/30", "dev", theirs)
        _ip("-n", name, "link", "set", theirs, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        outside = subprocess.Popen(
            [*forward, here, "127.0.0.1", *ports], cwd=PROJECT, stdout=subprocess.DEVNULL
        )
        try:
            host.start([*forward, "127.0.0.1", here, *ports], {"PATH": os.environ["PATH"]})
            yield
        finally:
            outside.kill()
            outside.wait()
    finally:
        host.kill()
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run([_IP, *arguments], check=True)


def start_worker(host: Host, platform: Platform, *, runs: int) -> None:
    """Start a host's Celery worker, with the settings of the platform's own pipeline."""
    [code, *_] = platform.processes("api grpc")
    environment = {name: value for name, value in code.environ().items() if name not in _OWN}
    shutil.copy(platform.home.dagster / "dagster.yaml", host.home.dagster)
    environment |= {
        "DAGSTER_HOME": str(host.home.dagster),
        "REGISTRU_WORK_DIR": str(host.home.work),
        "REGISTRU_COMPUTE_LOGS": str(host.home.compute_logs),
    }
    command = ("-m", "pipeline.dagster_host.celery_worker", "--name", host.name, "--runs", str(runs))
    host.start([sys.executable, *command, "-m", "pipeline.definitions"], environment)


_OWN = ("REGISTRU_BROWSER_LENDER", "REGISTRU_RUN_SERVER")
"""Sockets of the platform's own machine."""
