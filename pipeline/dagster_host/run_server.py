"""A server that imports what Dagster runs need, once, and then forks a process for each run.

    python -m pipeline.dagster_host.run_server --socket PATH -m MODULE

A new interpreter needs seconds to import Dagster, the instance's storage plug-ins and the definitions in MODULE. A
forked process has them from the start. Dagster's processes request a fork through
`pipeline.dagster_host.run_launcher.WarmRunLauncher`: it sends this server one line of JSON over a Unix socket, and
receives one line as the answer.

Forking is safe because this process does nothing that a fork can break: it has one thread (checked before each fork),
no connection and no gRPC channel. It imports, listens and forks. Runs open what they need.

The process of each run has a session of its own. When the process ends, the server kills what is left of its process
group. If the process died without a report, the server forks another process that reports the run as failed. If the
server is killed, its runs continue. If SIGTERM or SIGINT stops the server, it first ends its runs. Before each launch
the server checks whether the code on disk has changed since it was imported. If so, the server replaces itself with the
new code (execve) and keeps its socket and its children.

Processes that a run spawns (multiprocessing) import this module again. So it imports nothing heavy at its top.
"""

import argparse
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from pipeline import local_socket
from pipeline.dagster_host.preloading import have_changed, imported_files, preload
from pipeline.dagster_host.process_tree import count_threads, kill_group, start_time
from pipeline.dagster_host.run_worker import (
    KILL_AFTER_SECONDS,
    RunWorker,
    execute,
    report_death,
    stand_by,
    work_and_exit,
)

LAUNCH, TERMINATE, HEALTH = "launch", "terminate", "health"
"""The operations that a request can name."""
RUNNING, GONE = "running", "gone"
"""The states of a run's process in an answer."""

_REQUEST_SECONDS = 5.0
_STOP_SECONDS = 15.0
_TICK_SECONDS = 1.0


@dataclass(frozen=True)
class _Standby:
    """A standby worker: a process that waits until the server writes a run to its pipe."""

    pid: int
    pipe: int


class RunServer:
    """The server: one loop that answers requests and watches the processes of runs."""

    def __init__(
        self,
        listener: socket.socket,
        module: str,
        workers: Iterable[RunWorker],
        kill_at: Mapping[RunWorker, float],
    ) -> None:
        """Create a server.

        Args:
            listener: The socket where launchers connect.
            module: The module that holds the definitions.
            workers: The processes of runs that are already children of this process, because it forked them before it
                replaced itself with new code.
            kill_at: When to kill each of `workers` that was asked to end (seconds of the monotonic clock).
        """
        self._listener, self._module = listener, module
        self._workers = {worker.pid: worker for worker in workers}
        self._kill_at = dict(kill_at)
        self._files = imported_files()
        self._standby: _Standby | None = None
        self._stops_at: float | None = None
        self._wakes, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Serve until a signal stops the server, then end every run. Return when no run is left."""
        for end in (self._wakes, self._woken, self._listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for end in (self._wakes, self._listener):
            self._selector.register(end, selectors.EVENT_READ)
        self._reap()
        self._ensure_standby()
        while self._stops_at is None or self._workers:
            ready = {key.fileobj for key, _ in self._selector.select(_TICK_SECONDS)}
            if self._wakes in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wakes.recv(4096)
            self._reap()
            self._kill_overdue()
            if self._listener in ready and self._stops_at is None:
                self._accept()

    def _on_signal(self, number: int, _: object) -> None:
        if number == signal.SIGCHLD or self._stops_at is not None:
            return
        self._stops_at = time.monotonic() + _STOP_SECONDS
        if self._standby is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._standby.pid, signal.SIGKILL)  # a standby worker has nothing to finish
        for worker in self._workers.values():
            self._interrupt(worker, self._stops_at)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(_REQUEST_SECONDS)
            try:
                answer = self._answer(local_socket.receive(connection), connection)
            except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):
                local_socket.send(connection, answer)
        if answer.get("again"):
            self._replace_process()
        self._ensure_standby()

    def _answer(self, request: Mapping[str, Any], connection: socket.socket) -> dict[str, Any]:
        operation = request["op"]
        if operation == LAUNCH:
            return self._launch(request["run_id"], request["instance"], connection)
        if operation not in (TERMINATE, HEALTH):
            return {"error": f"unknown operation {operation!r}"}
        worker = self._find_worker(request)
        if worker is None:
            return {"state": GONE}
        if operation == TERMINATE:
            self._interrupt(worker, time.monotonic() + KILL_AFTER_SECONDS)
        return {"state": RUNNING}

    def _launch(self, run_id: str, instance: str, connection: socket.socket) -> dict[str, Any]:
        if have_changed(self._files):
            return {"again": "the code has changed"}
        if (threads := count_threads()) != 1:
            return {"error": f"the server has {threads} threads, and forking is only safe with one"}
        if _is_closed(
            connection
        ):  # this server was too slow, so the launcher no longer waits and launches the run itself
            return {"error": "the launcher has closed the connection"}
        if any(worker.run_id == run_id for worker in self._workers.values()):
            return {"error": f"run {run_id} already has a process"}
        pid = self._hand_to_standby(run_id, instance) or self._fork(connection, execute, run_id, instance)
        self._workers[pid] = RunWorker(run_id, pid, start_time(pid) or 0.0)
        return {"pid": pid}

    def _fork(self, connection: socket.socket | None, work: Callable[..., int], *arguments: object) -> int:
        """Fork a process that calls `work` and ends. Return its pid."""
        pid = os.fork()
        if pid == 0:
            self._become_child(*([connection] if connection else []))
            work_and_exit(work, *arguments)
        return pid

    def _ensure_standby(self) -> None:
        """Fork a standby worker if there is none.

        The worker opens Dagster's instance in advance, because that takes longer than a fork.
        """
        if self._standby is not None or self._stops_at is not None or "DAGSTER_HOME" not in os.environ:
            return
        read, write = os.pipe()
        pid = self._fork(None, stand_by, read, write)
        os.close(read)
        self._standby = _Standby(pid, write)

    def _hand_to_standby(self, run_id: str, instance: str) -> int | None:
        """Give a run to the standby worker and return the worker's pid.

        Return None if there is no standby worker, or if it has died.
        """
        standby, self._standby = self._standby, None
        if standby is None:
            return None
        try:
            with open(standby.pipe, "w") as pipe:  # noqa: PTH123 - a descriptor
                json.dump({"run_id": run_id, "instance": instance}, pipe)
        except BrokenPipeError:
            return None
        return standby.pid

    def _become_child(self, *connections: socket.socket) -> None:
        """Turn a forked copy of the server into a worker: close the server's descriptors, reset the signal handlers."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        os.setsid()
        self._selector.close()
        for end in (self._listener, self._wakes, self._woken, *connections):
            end.close()
        if self._standby is not None:
            os.close(self._standby.pipe)
        self._workers.clear()

    def _find_worker(self, request: Mapping[str, Any]) -> RunWorker | None:
        """Return the process of the run that a request names. Return None if the process no longer exists.

        A process that an earlier server forked is not a child of this server. Its pid comes from the run's tag, which
        the request contains.
        """
        run_id = str(request["run_id"])
        for worker in self._workers.values():
            if worker.run_id == run_id:
                return worker
        tagged = request.get("worker")
        if not tagged:
            return None
        worker = RunWorker(run_id, int(tagged["pid"]), float(tagged["started"]))
        return worker if start_time(worker.pid) == worker.started else None

    def _interrupt(self, worker: RunWorker, kill_at: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGINT)
            self._kill_at.setdefault(worker, kill_at)

    def _kill_overdue(self) -> None:
        """Kill each process that was asked to end and has not ended before its deadline."""
        now = time.monotonic()
        for worker, kill_at in list(self._kill_at.items()):
            if now >= kill_at:
                del self._kill_at[worker]
                if start_time(worker.pid) == worker.started:
                    kill_group(worker.pid)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = self._workers.pop(pid, None)
            if self._standby is not None and self._standby.pid == pid:
                os.close(self._standby.pipe)
                self._standby = (
                    None  # the next launch forks a process for its run, and after that a new standby worker
                )
            if worker is None:
                continue
            self._kill_at.pop(worker, None)
            kill_group(pid)  # kill the processes that the run started and left running
            code = os.waitstatus_to_exitcode(status)
            if code != 0:
                self._fork(None, report_death, worker, code)

    def _replace_process(self) -> NoReturn:
        """Replace the program of this process with the code on disk. Processes of runs stay its children."""
        read, write = os.pipe()
        state = {
            "workers": [asdict(worker) for worker in self._workers.values()],
            "kill_at": [[asdict(worker), at] for worker, at in self._kill_at.items()],
        }
        os.write(write, json.dumps(state).encode())
        os.close(write)
        for descriptor in (read, self._listener.fileno()):
            os.set_inheritable(descriptor, True)
        signal.set_wakeup_fd(-1)
        inherited = ("--inherit", str(self._listener.fileno()), str(read))
        sys.stderr.flush()
        command = [sys.executable, "-m", "pipeline.dagster_host.run_server", "-m", self._module, *inherited]
        os.execv(sys.executable, command)  # noqa: S606 - our own program


def _is_closed(connection: socket.socket) -> bool:
    """Tell whether the client has closed a connection. (Clients send nothing after their request.)"""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(_REQUEST_SECONDS)


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description="Forks a process for each Dagster run.")
    parser.add_argument("--socket", type=Path, help="path of the Unix socket to listen at")
    parser.add_argument("-m", dest="module", required=True, help="module that holds the definitions")
    parser.add_argument("--inherit", type=int, nargs=2, metavar="FD", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if (options.socket is None) == (options.inherit is None):
        parser.error("--socket is required")
    workers: list[RunWorker] = []
    kill_at: dict[RunWorker, float] = {}
    if options.inherit:
        listener = socket.socket(fileno=options.inherit[0])
        listener.set_inheritable(False)
        with open(options.inherit[1], "rb") as pipe:  # noqa: PTH123 - a descriptor
            state = json.load(pipe)
        workers = [RunWorker(**worker) for worker in state["workers"]]
        kill_at = {RunWorker(**worker): at for worker, at in state["kill_at"]}
    # Tells setproctitle not to overwrite the environment of a run's process, which other programs read.
    os.environ.setdefault("SPT_NOENV", "1")
    preload(options.module)
    if not options.inherit:
        listener = local_socket.listen(
            options.socket
        )  # Listen only after the imports. So each client that can connect is served immediately.
    gc.collect()
    gc.freeze()  # the collector never touches imported objects again, so forked processes share their memory
    RunServer(listener, options.module, workers, kill_at).serve()


if __name__ == "__main__":
    main()
