"""Network namespaces: each is linked to this machine and reaches ports of its loopback interface.

Runs of the tests may overlap, and a killed run leaves its namespaces and links behind. So the names are random, and a
link gets a subnet that no route of this machine contains.
"""

import contextlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from uuid import uuid4

from stack.home import PROJECT

_IP = shutil.which("ip") or ""
_NETWORK = IPv4Network("198.18.0.0/15")
"""Reserved for tests of networks (RFC 2544), so no real host has such an address."""
_SUBNET_BITS = 30
_ATTEMPTS = 50
_LOOPBACK = "127.0.0.1"


def has_namespaces() -> bool:
    """Return whether this process may create network namespaces."""
    if not _IP:
        return False
    name = _new_name()
    created = subprocess.run([_IP, "netns", "add", name], capture_output=True)
    subprocess.run([_IP, "netns", "delete", name], capture_output=True)
    return created.returncode == 0


@contextlib.contextmanager
def running_namespace(ports: Sequence[str]) -> Iterator[str]:
    """Create a namespace whose loopback interface forwards `ports` to this machine's; yield the namespace's name."""
    name = _new_name()
    _ip("netns", "add", name)
    try:
        outer_ip = _add_link(name)
        with (
            _forwarder(outer_ip, _LOOPBACK, ports),
            _forwarder(_LOOPBACK, outer_ip, ports, prefix=command_prefix(name)),
        ):
            yield name
    finally:
        _ip("netns", "delete", name)  # and its link


def command_prefix(namespace: str) -> list[str]:
    """Return what to put before a command so that it runs in a namespace."""
    return [_IP, "netns", "exec", namespace]


def processes_in(namespace: str) -> set[int]:
    """Return the process ids of a namespace's processes."""
    listed = subprocess.run([_IP, "netns", "pids", namespace], capture_output=True, text=True)
    return {int(pid) for pid in listed.stdout.split()}


def _new_name() -> str:
    return f"registru-{uuid4().hex[:12]}"


def _add_link(namespace: str) -> str:
    """Link a namespace to this machine, in a free subnet; return the address of this machine's end."""
    outer_end, outer_ip, inner_ip = _add_interfaces(namespace)
    _ip("address", "add", f"{outer_ip}/{_SUBNET_BITS}", "dev", outer_end)
    _ip("link", "set", outer_end, "up")
    _ip("-n", namespace, "address", "add", f"{inner_ip}/{_SUBNET_BITS}", "dev", "outside")
    _ip("-n", namespace, "link", "set", "outside", "up")
    _ip("-n", namespace, "link", "set", "lo", "up")
    return outer_ip


def _add_interfaces(namespace: str) -> tuple[str, str, str]:
    """Add both ends of a link; return the name of this machine's end and the addresses for both ends."""
    error = ""
    for _ in range(_ATTEMPTS):
        number = random.randrange(1 << (_SUBNET_BITS - _NETWORK.prefixlen))
        first = _NETWORK.network_address + number * (1 << (32 - _SUBNET_BITS))
        outer_end, outer_ip, inner_ip = f"rg{number}", str(first + 1), str(first + 2)
        if _has_route(outer_ip):
            continue
        # The name contains the subnet and exists only once, so that two runs never get the same subnet.
        link = ("link", "add", outer_end, "type", "veth", "peer", "name", "outside", "netns", namespace)
        added = subprocess.run([_IP, *link], capture_output=True, text=True)
        if added.returncode == 0:
            return outer_end, outer_ip, inner_ip
        error = added.stderr
    raise AssertionError(f"no link to the namespace {namespace} after {_ATTEMPTS} attempts: {error}")


def _has_route(address: str) -> bool:
    """Return whether a route other than the default one leads to an address."""
    command = [_IP, "-4", "route", "show", "match", address]
    routes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return not all(route.startswith("default") for route in routes)


@contextlib.contextmanager
def _forwarder(
    listen: str, target: str, ports: Sequence[str], *, prefix: Sequence[str] = ()
) -> Iterator[None]:
    """Forward ports from one address to another until the block ends."""
    command = [*prefix, sys.executable, "-m", "tests.machines.forward", listen, target, *ports]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


def _ip(*arguments: str) -> None:
    subprocess.run([_IP, *arguments], check=True)
