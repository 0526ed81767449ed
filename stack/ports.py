"""Free ports on the loopback interface."""

import secrets
import socket
from pathlib import Path

from stack.stack_error import StackError

LOOPBACK = "127.0.0.1"
_LOWEST_PORT = 11_000
_DEFAULT_FIRST = 32_768
_MIN_CHOICE = 5_000
"""The number of ports below which the choice is too small: two programs that start could choose the same."""
_RANGE_OF_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return `count` different free ports.

    They are below the range from which the kernel takes the local ports of outgoing connections. Otherwise such a
    connection, of any program, could take a port before the server listens there.
    """
    ports: list[int] = []
    candidates = range(_LOWEST_PORT, _first_port_of_connections())
    while len(ports) < count:
        port = secrets.choice(candidates)
        if port not in ports and is_free(port):
            ports.append(port)
    return ports


def _first_port_of_connections() -> int:
    """Return the first port that the kernel gives to outgoing connections (on Linux)."""
    try:
        first = int(_RANGE_OF_CONNECTIONS.read_text().split()[0])
    except OSError:
        return _DEFAULT_FIRST
    return first if first > _LOWEST_PORT + _MIN_CHOICE else _DEFAULT_FIRST


def choose_port(default: int, requested: int | None = None) -> int:
    """Return the requested port (0: any free port). Without one, return the default port or, if taken, any free port.

    Raises StackError if the requested port is taken.
    """
    if requested is not None:
        if requested and not is_free(requested):
            raise StackError(
                f"--port {requested} is used by another program; choose another port, or omit --port"
            )
        return requested or free_ports(1)[0]
    return default if is_free(default) else free_ports(1)[0]
