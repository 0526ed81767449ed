"""Several hosts on one machine: each host has its own network namespace, home and processes.

If the test may not create network namespaces (not root), a host has its own home and processes only.
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
from stack.processes import HOME_VARIABLE
from tests.platform_harness import Platform

_NETWORK = "10.231"
_IP = shutil.which("ip") or ""


@dataclass
class Host:
    """A host that runs a worker for a platform."""

    name: str
    home: Home
    number: int | None
    """The number in its namespace's name; None: it has no namespace."""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a process on this host; its output goes to a log file in the host's home."""
        prefix = [_IP, "netns", "exec", self.namespace] if self.number is not None else []
        log = self.home.logs / f"{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*prefix, *command],
                cwd=PROJECT,
                env={**environment, HOME_VARIABLE: str(self.home.path)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    @property
    def namespace(self) -> str:
        """The name of the host's network namespace."""
        return f"registru-{os.getpid()}-{self.number}"

    def is_ready(self) -> bool:
        """Return whether the process that was started last, a worker, accepts runs."""
        log = self.home.logs / f"{len(self.processes) - 1}.log"
        return f"{self.name} ready" in log.read_text(errors="replace")

    def processes_of_program(self, name: str) -> list[psutil.Process]:
        """Return this host's processes whose program's path contains `name`."""
        processes = []
        for process in self._live_processes():
            with contextlib.suppress(psutil.Error):
                if name in "".join(process.cmdline()[:1]):  # empty for a process that is ending
                    processes.append(process)
        return processes

    def kill(self) -> int:
        """Kill every process of this host, as a power failure does; return how many were killed."""
        killed: set[int] = set()
        while live := self._live_processes():
            for process in live:
                with contextlib.suppress(psutil.Error):
                    process.kill()
                    killed.add(process.pid)
            psutil.wait_procs(live, timeout=5)
            for child in self.processes:
                child.poll()
        return len(killed)

    def _live_processes(self) -> list[psutil.Process]:
        pids = {process.pid for process in processes_of(self.home)}
        if self.number is not None:
            in_namespace = subprocess.run(
                [_IP, "netns", "pids", self.namespace], capture_output=True, text=True
            )
            pids |= {int(pid) for pid in in_namespace.stdout.split()}
        processes = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
        return processes


def has_namespaces() -> bool:
    """Return whether this process may create network namespaces."""
    if not _IP:
        return False
    name = f"registru-probe-{os.getpid()}"
    created = subprocess.run([_IP, "netns", "add", name], capture_output=True)
    subprocess.run([_IP, "netns", "delete", name], capture_output=True)
    return created.returncode == 0


@contextlib.contextmanager
def running_hosts(platform: Platform, folder: Path, names: Sequence[str]) -> Iterator[list[Host]]:
    """Yield hosts that reach a platform's stores and its site; remove their processes and namespaces at the end."""
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
    """Create a namespace and a link to it, and forward ports from its loopback to the machine's loopback."""
    name, outer_end, inner_end = (
        host.namespace,
        f"rg{os.getpid() % 100_000}a{host.number}",
        f"rg{host.number}b",
    )
    outer_ip, inner_ip = f"{_NETWORK}.{host.number}.1", f"{_NETWORK}.{host.number}.2"
    forward = [sys.executable, "-m", "tests.machines.forward"]
    _ip("netns", "add", name)
    try:
        _ip("link", "add", outer_end, "type", "veth", "peer", "name", inner_end, "netns", name)
        _ip("address", "add", f"{outer_ip}/30", "dev", outer_end)
        _ip("link", "set", outer_end, "up")
        _ip("-n", name, "address", "add", f"{inner_ip}/30", "dev", inner_end)
        _ip("-n", name, "link", "set", inner_end, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        outer_forwarder = subprocess.Popen(
            [*forward, outer_ip, "127.0.0.1", *ports], cwd=PROJECT, stdout=subprocess.DEVNULL
        )
        try:
            host.start([*forward, "127.0.0.1", outer_ip, *ports], {"PATH": os.environ["PATH"]})
            yield
        finally:
            outer_forwarder.kill()
            outer_forwarder.wait()
    finally:
        host.kill()
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run([_IP, *arguments], check=True)


def start_worker(host: Host, platform: Platform, *, runs: int) -> None:
    """Start a host's Celery worker with the settings of the platform's own pipeline.

    `runs` is the number of runs that the worker executes at the same time.
    """
    [code_server, *_] = platform.processes("api grpc")
    environment = {name: value for name, value in code_server.environ().items() if name not in _LOCAL_SOCKETS}
    shutil.copy(platform.home.dagster / "dagster.yaml", host.home.dagster)
    environment |= {
        "DAGSTER_HOME": str(host.home.dagster),
        "REGISTRU_WORK_DIR": str(host.home.work),
        "REGISTRU_COMPUTE_LOGS": str(host.home.compute_logs),
    }
    command = ("-m", "pipeline.dagster_host.celery_worker", "--name", host.name, "--runs", str(runs))
    host.start([sys.executable, *command, "-m", "pipeline.definitions"], environment)


_LOCAL_SOCKETS = ("REGISTRU_BROWSER_LENDER", "REGISTRU_RUN_SERVER")
"""Settings that name sockets of the platform's own machine."""
