"""A process that counts requests as a worker of the API does. It imports no test tools, so that it starts fast."""

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, TypeVar

from prometheus_client import generate_latest

from api.metrics.process_metrics import process_metrics

_Returned = TypeVar("_Returned")
_TIMEOUT_SECONDS = 200


def count(by: int) -> int:
    """Count answers in a worker, and begin a request that does not end; return the worker's process id."""
    process_metrics().answers.labels("cached").inc(by)
    process_metrics().in_flight.inc()
    return os.getpid()


def exposed() -> dict[str, float]:
    """Return the metrics that a worker exposes."""
    lines = generate_latest(process_metrics().all_workers()).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


class CountingWorker:
    """A worker, started with uvicorn's start method. It ends with the block in which it is used."""

    def __init__(self, spawn: SpawnContext) -> None:
        self._calls, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_answer_calls, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> "CountingWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def call(self, function: Callable[..., _Returned], *arguments: Any) -> _Returned:
        """Call a function in the worker; return what it returns or raise what it raises."""
        self._calls.send((function, arguments))
        assert self._calls.poll(_TIMEOUT_SECONDS), "the worker does not answer"
        error, returned = self._calls.recv()
        if error is not None:
            raise error
        result: _Returned = returned
        return result

    def stop(self) -> None:
        """Kill the worker and wait for its end."""
        self._process.kill()
        self._process.join()
        self._calls.close()


def _answer_calls(calls: Connection) -> None:
    while True:
        function, arguments = calls.recv()
        try:
            calls.send((None, function(*arguments)))
        except Exception as error:  # raised in the test
            calls.send((error, None))
