"""Messages between processes of one user on one machine: lines of JSON over a Unix socket."""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_MAX_ADDRESS_BYTES = 100  # the kernel allows paths of 107 bytes


@contextlib.contextmanager
def _address_of(path: Path) -> Iterator[str]:
    """Yield an address for the Unix socket at `path`. If it is too long, use a shorter one in /proc (Linux only)."""
    if len(os.fsencode(path)) <= _MAX_ADDRESS_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """Return a listening socket at `path` that only this user can connect to.

    If a killed server has left its socket at `path`, replace it. Raises FileExistsError if `path` is not a socket.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} exists and is not a socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with _address_of(path) as address:
            listener.bind(address)
    finally:
        os.umask(mask)
    listener.listen(64)
    return listener


def connect(path: Path, *, timeout: float) -> socket.socket:
    """Connect to the server at `path`; `timeout` (seconds) applies to every operation. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        with _address_of(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send a message. Raises OSError."""
    connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket) -> dict[str, Any]:
    """Return the next message.

    Raises OSError, ValueError for a malformed message, and EOFError if the connection was closed.
    """
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            raise EOFError("the connection was closed")
        data += part
        if len(data) > _MAX_MESSAGE_BYTES:
            raise ValueError(f"the message has more than {_MAX_MESSAGE_BYTES} bytes")
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")
    return message


def send_request(path: Path, request: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
    """Send one message to the server at `path` and return its answer; `timeout` is in seconds.

    Raises OSError, ValueError, EOFError.
    """
    with connect(path, timeout=timeout) as connection:
        send(connection, request)
        return receive(connection)
