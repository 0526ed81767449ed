"""Several hosts on one machine: each host has its own network namespace, home and processes.

If the test may not create network namespaces (not root), a host has its own home and processes only.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from configparser import RawConfigParser
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from supervisor.datatypes import dict_of_key_value_pairs

from stack.home import PROJECT, Home
from stack.orphan_processes import processes_of
from stack.processes import HOME_VARIABLE, common_environment
from tests.machines.namespaces import command_prefix, has_namespaces, processes_in, running_namespace
from tests.platform_harness import Platform


@dataclass
class Host:
    """A host that runs a worker for a platform."""

    name: str
    home: Home
    namespace: str | None = None
    """The name of its network namespace, if it has one."""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a process on this host; its output goes to a log file in the host's home."""
        prefix = command_prefix(self.namespace) if self.namespace else []
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
        if self.namespace:
            pids |= processes_in(self.namespace)
        processes = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
        return processes


@contextlib.contextmanager
def running_hosts(platform: Platform, folder: Path, names: Sequence[str]) -> Iterator[list[Host]]:
    """Yield hosts that reach a platform's stores and its site; remove their processes and namespaces at the end."""
    separate = has_namespaces()
    with ExitStack() as stack:
        hosts = []
        for name in names:
            host = Host(name, Home.at(folder / name))
            if separate:
                host.namespace = stack.enter_context(running_namespace(_ports(platform)))
            stack.callback(host.kill)
            hosts.append(host)
        yield hosts


def _ports(platform: Platform) -> list[str]:
    site = (urlsplit(platform.site.url).port, urlsplit(platform.site.api_url).port)
    return [*map(str, (platform.ports["postgres"], platform.ports["valkey"], *site))]


def start_worker(host: Host, platform: Platform, *, runs: int) -> None:
    """Start a host's Celery worker with the settings of the platform's own pipeline.

    `runs` is the number of runs that the worker executes at the same time. The worker waits
    tests.machines.impatient_worker.KILL_AFTER_SECONDS for the end of a cancelled run, and then kills its process.
    """
    environment = {
        name: value for name, value in _environment_of(platform, "code").items() if name not in _LOCAL_SOCKETS
    }
    shutil.copy(platform.home.dagster / "dagster.yaml", host.home.dagster)
    environment |= {
        "DAGSTER_HOME": str(host.home.dagster),
        "REGISTRU_WORK_DIR": str(host.home.work),
        "REGISTRU_COMPUTE_LOGS": str(host.home.compute_logs),
    }
    command = ("-m", "tests.machines.impatient_worker", "--name", host.name, "--runs", str(runs))
    host.start([sys.executable, *command, "-m", "pipeline.definitions"], environment)


def _environment_of(platform: Platform, program: str) -> dict[str, str]:
    """Return the environment of one of the platform's programs, from its supervisor's configuration."""
    configuration = RawConfigParser()
    configuration.read(platform.home.run / "supervisord.conf")
    variables = configuration[f"program:{program}"]["environment"].replace("%%", "%")
    own: dict[str, str] = dict_of_key_value_pairs(variables)
    return {**common_environment(platform.home), **own}


_LOCAL_SOCKETS = ("REGISTRU_BROWSER_LENDER", "REGISTRU_RUN_SERVER")
"""Settings that name sockets of the platform's own machine."""
