"""Free ports on the loopback interface."""

import socket
from contextlib import ExitStack

from stack.stack_error import StackError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return that many different free ports."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def choose(default: int, asked: int | None = None) -> int:
    """Return the port asked for (an error if it is taken), else the default one, else any free one."""
    if asked is not None:
        if asked and not is_free(asked):
            raise StackError(
                f"--port {asked}: another program listens there; choose another, or leave it out"
            )
        return asked or free_ports(1)[0]
    return default if is_free(default) else free_ports(1)[0]
