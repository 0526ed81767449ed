"""Health checks of containers: `python -m deploy.health WHAT…`, exit code 0 if all of it answers.

WHAT is an http:// address that has to answer well (Dagster's key is shown if this container has it), any:http://… where
an answer is enough, such as that a key is wanted, unix:PATH where somebody has to accept connections, or grpc:HOST:PORT
of a server that says that it serves.
"""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

from warehouse.config.setting_sources import secret_file
from warehouse.contract import KEY_HEADER

_SECONDS = 5
_SERVER_ERROR = 500


def _http(address: str) -> None:
    request = urllib.request.Request(address)  # noqa: S310 - our own address
    file = secret_file("dagster_key")
    if key := file.read_text().strip() if file else os.environ.get("REGISTRU_DAGSTER_KEY"):
        request.add_header(KEY_HEADER, key)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=_SECONDS).close()


def _any(address: str) -> None:
    try:
        _http(address)
    except urllib.error.HTTPError as answer:
        if answer.code >= _SERVER_ERROR:
            raise


def _unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)


def _grpc(place: str) -> None:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(place) as channel:
        request = health_pb2.HealthCheckRequest(service="DagsterApi")
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_SECONDS)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise OSError(f"{place} does not serve")


_CHECKS: dict[str, Callable[[str], None]] = {"any:": _any, "unix:": _unix, "grpc:": _grpc}


def check(what: str) -> None:
    """Raise an error if it does not answer."""
    for kind, look in _CHECKS.items():
        if what.startswith(kind):
            return look(what.removeprefix(kind))
    return _http(what)


def main() -> None:
    """Check everything that is named."""
    for what in sys.argv[1:]:
        try:
            check(what)
        except Exception as error:  # whatever it is, it does not answer
            sys.exit(f"{what}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
