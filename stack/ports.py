"""Free ports on the loopback interface."""

import socket
from contextlib import ExitStack

from stack.stack_error import StackError

LOOPBACK = "127.0.0.1"


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
    """Return `count` different free ports."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


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
