"""Health checks of containers: `python -m deploy.health TARGET…` exits with 0 if all targets are healthy.

Targets are:

- `http://…`: the server has to answer with success. If this container has Dagster's key, the key is sent.
- `any:http://…`: the server may answer with any status below 500, for example because it requires a key.
- `unix:PATH`: a server has to accept connections on the socket.
- `grpc:HOST:PORT`: a gRPC server has to report that it serves.
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
    request = urllib.request.Request(address)  # noqa: S310 - an address of this platform
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


def _grpc(address: str) -> None:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service="DagsterApi")
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_SECONDS)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise OSError(f"{address} does not serve")


_CHECKS: dict[str, Callable[[str], None]] = {"any:": _any, "unix:": _unix, "grpc:": _grpc}


def check(target: str) -> None:
    """Raise an error if a target is not healthy."""
    for prefix, check_target in _CHECKS.items():
        if target.startswith(prefix):
            return check_target(target.removeprefix(prefix))
    return _http(target)


def main() -> None:
    """Check the targets on the command line. Exit with the error of the first target that is not healthy."""
    for target in sys.argv[1:]:
        try:
            check(target)
        except Exception as error:  # every error means that the target is not healthy
            sys.exit(f"{target}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
