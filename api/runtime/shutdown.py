"""Stops a worker together with its parent process, and calls a function before the server stops."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_with_parent() -> Iterator[None]:
    """Stop this worker when the process that started the workers has ended, even if it was killed.

    Otherwise, orphaned workers would keep running and occupy the port, so that the API could not be started again.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop, sentinel = asyncio.get_running_loop(), parent.sentinel

    def stop() -> None:
        loop.remove_reader(sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(sentinel, stop)
    try:
        yield
    finally:
        loop.remove_reader(sentinel)


@contextmanager
def on_stop_signal(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` in the running loop when a signal stops the server, before the server waits for its responses.

    uvicorn ends the lifespan only after the last response has ended. So requests that wait must be woken earlier.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can handle signals
        return
    loop = asyncio.get_running_loop()
    earlier = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        handler = earlier[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
