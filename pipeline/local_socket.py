"""A line of JSON each way, between processes of one user on one machine."""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LONGEST_LINE = 4 * 1024 * 1024
_LONGEST_ADDRESS = 100  # the kernel takes 107 characters


@contextlib.contextmanager
def _address_of(path: Path) -> Iterator[str]:
    """Yield an address for a Unix socket at `path`, however long that is (Linux)."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """Listen at `path`, for this user alone. Raises FileExistsError if something else than a socket is there."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} is there, and no socket")
        path.unlink()  # a server that was killed leaves it behind
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
    """Return a connection to who listens at `path`. Raises OSError."""
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
    """Return the next message. Raises OSError, ValueError for one that is none, EOFError if there are no more."""
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            raise EOFError("the connection was closed")
        data += part
        if len(data) > _LONGEST_LINE:
            raise ValueError("the message is too long")
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not a message")
    return message


def ask(path: Path, request: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
    """Return the answer to one message. Raises OSError, ValueError, EOFError."""
    with connect(path, timeout=timeout) as connection:
        send(connection, request)
        return receive(connection)
