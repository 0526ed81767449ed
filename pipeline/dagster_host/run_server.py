"""Forks a process for each run of Dagster, from one that has imported everything already.

    python -m pipeline.dagster_host.run_server --socket PATH -m MODULE

A run's process has everything in its first millisecond for which a new interpreter needs seconds: Dagster, the
instance's storage plug-ins and the definitions in MODULE. `pipeline.dagster_host.run_launcher.WarmRunLauncher` asks for it, from
whatever process of Dagster's, over a Unix socket: a line of JSON each way.

Forking is safe because there is nothing here to go wrong: this process has one thread (looked at before each fork),
no connection, no gRPC channel. It imports, it listens, it forks; runs open what they need. Each is in a session of
its own; when one ends, what is left of its process group is killed, and if it died without a word, a process is
forked that reports the run as failed. Runs outlive this process, but not its orderly end. Code that has changed on
disk since it was imported is noticed before the next run: the server then replaces itself (execve), keeping its
socket and its children.

Nothing heavy is imported at the top: processes that a run spawns (multiprocessing) import this file again.
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from pipeline import local_socket
from pipeline.dagster_host import idle_connections

LAUNCH, TERMINATE, HEALTH = "launch", "terminate", "health"
"""What may be asked."""
RUNNING, GONE = "running", "gone"
WORKER_TAG = ".dagster/warm_worker"
"""A run's tag (not shown in the web UI): the process that works at it, as JSON."""

KILL_AFTER_SECONDS = 30.0
"""How long a run that was told to end may take to do so."""

_REQUEST_SECONDS = 5.0
_STOP_SECONDS = 15.0
_TICK_SECONDS = 1.0
_STATEMENT_TIMEOUT_MS = 60_000
_REPORT_TRIES = 6

_PRELOADED = (
    *("dagster._cli.api", "dagster._core.execution.api", "dagster._core.execution.plan.active"),
    *("dagster._core.instance.factory", "dagster._core.system_config.composite_descent"),
    *("upath.implementations.local", "fsspec.implementations.local", "setproctitle", "psycopg2.extras"),
    *("sqlalchemy.dialects.postgresql.psycopg2", "alembic.config", "httpcore", "h11", "anyio", "trio"),
)
"""What a run would import when it is under way, where it is installed."""
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Libraries of numbers start threads when they are imported, unless they are told how many they may."""


@dataclass(frozen=True)
class Worker:
    """The process of a run; with its start time, since pids are used again."""

    run_id: str
    pid: int
    started: float


@dataclass(frozen=True)
class _Standby:
    """A process that waits for a run, told through a pipe."""

    pid: int
    pipe: int


class RunServer:
    """The server's one loop."""

    def __init__(
        self, listener: socket.socket, module: str, workers: Iterable[Worker], kill_at: Mapping[Worker, float]
    ) -> None:
        self._listener, self._module = listener, module
        self._workers = {worker.pid: worker for worker in workers}
        self._kill_at = dict(kill_at)
        self._files = _imported_files()
        self._standby: _Standby | None = None
        self._stops_at: float | None = None
        self._wakes, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Serve until told to stop; then end every run, and return when none is left."""
        for end in (self._wakes, self._woken, self._listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for end in (self._wakes, self._listener):
            self._selector.register(end, selectors.EVENT_READ)
        self._reap()
        self._stand_by()
        while self._stops_at is None or self._workers:
            ready = {key.fileobj for key, _ in self._selector.select(_TICK_SECONDS)}
            if self._wakes in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wakes.recv(4096)
            self._reap()
            self._kill_what_lasts()
            if self._listener in ready and self._stops_at is None:
                self._accept()

    def _on_signal(self, number: int, _: object) -> None:
        if number == signal.SIGCHLD or self._stops_at is not None:
            return
        self._stops_at = time.monotonic() + _STOP_SECONDS
        if self._standby is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._standby.pid, signal.SIGKILL)  # it holds nothing
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
            self._replace_myself()
        self._stand_by()

    def _answer(self, request: Mapping[str, Any], connection: socket.socket) -> dict[str, Any]:
        operation = request["op"]
        if operation == LAUNCH:
            return self._launch(request["run_id"], request["instance"], connection)
        if operation not in (TERMINATE, HEALTH):
            return {"error": f"nobody knows how to {operation!r}"}
        worker = self._find(request)
        if worker is None:
            return {"state": GONE}
        if operation == TERMINATE:
            self._interrupt(worker, time.monotonic() + KILL_AFTER_SECONDS)
        return {"state": RUNNING}

    def _launch(self, run_id: str, instance: str, connection: socket.socket) -> dict[str, Any]:
        if self._has_stale_code():
            return {"again": "the code has changed"}
        if (threads := _threads()) != 1:
            return {"error": f"there are {threads} threads, and it is not safe to fork"}
        if _has_gone(connection):  # this process was stopped meanwhile; the run was launched another way
            return {"error": "who asked has gone"}
        if any(worker.run_id == run_id for worker in self._workers.values()):
            return {"error": f"the run {run_id} has a process already"}
        pid = self._hand_over(run_id, instance) or self._fork(connection, _execute, run_id, instance)
        self._workers[pid] = Worker(run_id, pid, _start_time(pid) or 0.0)
        return {"pid": pid}

    def _fork(self, connection: socket.socket | None, work: Any, *arguments: Any) -> int:
        """Have a new process do some work and end; return its pid."""
        pid = os.fork()
        if pid == 0:
            self._become_worker(*([connection] if connection else []))
            _exit_with(work, *arguments)
        return pid

    def _stand_by(self) -> None:
        """Have a process ready that has opened Dagster's instance, which takes longer than to fork."""
        if self._standby is not None or self._stops_at is not None or "DAGSTER_HOME" not in os.environ:
            return
        read, write = os.pipe()
        pid = self._fork(None, _stand_by, read, write)
        os.close(read)
        self._standby = _Standby(pid, write)

    def _hand_over(self, run_id: str, instance: str) -> int | None:
        """Give a run to the process that stands by; return its pid, None if there is none."""
        standby, self._standby = self._standby, None
        if standby is None:
            return None
        try:
            with open(standby.pipe, "w") as pipe:  # noqa: PTH123 - a descriptor
                json.dump({"run_id": run_id, "instance": instance}, pipe)
        except BrokenPipeError:
            return None
        return standby.pid

    def _become_worker(self, *connections: socket.socket) -> None:
        """In the child: let go of all that is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        os.setsid()
        self._selector.close()
        for each in (self._listener, self._wakes, self._woken, *connections):
            each.close()
        if self._standby is not None:
            os.close(self._standby.pipe)
        self._workers.clear()

    def _find(self, request: Mapping[str, Any]) -> Worker | None:
        """Return the process of a run: a child, or one that an earlier server has left, by what its run's tag says."""
        run_id = str(request["run_id"])
        for worker in self._workers.values():
            if worker.run_id == run_id:
                return worker
        told = request.get("worker")
        if not told:
            return None
        worker = Worker(run_id, int(told["pid"]), float(told["started"]))
        return worker if _start_time(worker.pid) == worker.started else None

    def _interrupt(self, worker: Worker, kill_at: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGINT)
            self._kill_at.setdefault(worker, kill_at)

    def _kill_what_lasts(self) -> None:
        now = time.monotonic()
        for worker, kill_at in list(self._kill_at.items()):
            if now >= kill_at:
                del self._kill_at[worker]
                if _start_time(worker.pid) == worker.started:
                    _kill_group(worker.pid)

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
                self._standby = None  # the next run does without; then there is another one
            if worker is None:
                continue
            self._kill_at.pop(worker, None)
            _kill_group(pid)  # whatever it started and did not wait for
            code = os.waitstatus_to_exitcode(status)
            if code != 0:
                self._fork(None, _report_death, worker, code)

    def _has_stale_code(self) -> bool:
        return any(_stamp(path) != stamp for path, stamp in self._files.items())

    def _replace_myself(self) -> NoReturn:
        """Begin anew with the code as it is now; runs that are under way stay this process's children."""
        read, write = os.pipe()
        left = {
            "workers": [asdict(worker) for worker in self._workers.values()],
            "kill_at": [[asdict(worker), at] for worker, at in self._kill_at.items()],
        }
        os.write(write, json.dumps(left).encode())
        os.close(write)
        for descriptor in (read, self._listener.fileno()):
            os.set_inheritable(descriptor, True)
        signal.set_wakeup_fd(-1)
        inherited = ("--inherit", str(self._listener.fileno()), str(read))
        sys.stderr.flush()
        command = [sys.executable, "-m", "pipeline.dagster_host.run_server", "-m", self._module, *inherited]
        os.execv(sys.executable, command)  # noqa: S606 - our own program


def _has_gone(connection: socket.socket) -> bool:
    """Tell whether the other side, which sends nothing more, has closed a connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(_REQUEST_SECONDS)


def _exit_with(work: Any, *arguments: Any) -> NoReturn:
    code = 1
    try:
        code = int(work(*arguments) or 0)
    except BaseException:  # whatever it is: this process must not go back into the server's loop
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _stand_by(read: int, write: int) -> int:
    """Open Dagster's instance, wait for a run and execute it; without one, end when the server does."""
    from dagster import DagsterInstance, serialize_value

    os.close(write)
    _set_title("dagster-standby")
    with DagsterInstance.get() as instance, open(read) as pipe:
        _pool_connections(instance)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to end well
        told = pipe.read()
        if not told:
            return 0
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request = json.loads(told)
        if request["instance"] == serialize_value(instance.get_ref()):
            return _execute_in(instance, request["run_id"])
    return _execute(request["run_id"], request["instance"])


def _execute(run_id: str, instance_ref: str) -> int:
    """Execute a run of an instance that is described; return the exit code."""
    from dagster import DagsterInstance, deserialize_value

    from pipeline.dagster_host.internals import InstanceRef

    with DagsterInstance.from_ref(deserialize_value(instance_ref, InstanceRef)) as instance:
        _pool_connections(instance)
        return _execute_in(instance, run_id)


def _execute_in(instance: Any, run_id: str) -> int:
    """Do in this process what `dagster api execute_run` does."""
    from pipeline.dagster_host.internals import capture_interrupts, execute_run_command_body

    _set_title(f"dagster-run {run_id}")
    with capture_interrupts():
        worker = Worker(run_id, os.getpid(), _start_time(os.getpid()) or 0.0)
        instance.add_run_tags(run_id, {WORKER_TAG: json.dumps(asdict(worker))})
        return execute_run_command_body(run_id, instance, lambda _: None, set_exit_code_on_failure=True)


def _report_death(worker: Worker, code: int) -> int:
    """Tell Dagster of a run whose process died, if it does not know that it is over."""
    from dagster import DagsterInstance, DagsterRunStatus

    from pipeline.dagster_host.internals import get_run_crash_explanation

    for attempt in range(_REPORT_TRIES):
        try:
            with DagsterInstance.get() as instance:
                run = instance.get_run_by_id(worker.run_id)
                if run is None or run.is_finished:
                    return 0
                said = get_run_crash_explanation(f"The process of run {worker.run_id}", code)
                instance.report_engine_event(said, run)
                if run.status is DagsterRunStatus.CANCELING:
                    instance.report_run_canceled(run)
                else:
                    instance.report_run_failed(run)
                return 0
        except Exception as error:
            sys.stderr.write(f"run {worker.run_id} could not be reported: {type(error).__name__}\n")
            time.sleep(2**attempt / 2)
    return 0  # Dagster's run monitoring finds it


def _pool_connections(instance: Any) -> None:
    """Have the instance's storages keep a connection each, instead of making one a query."""
    # Dagster's own way of pooling; named for who uses it first.
    instance.optimize_for_webserver(
        statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=3600, max_overflow=5
    )
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        engine = getattr(storage, "_engine", None)
        if engine is not None:
            idle_connections.watch(engine)


def _set_title(title: str) -> None:
    from setproctitle import setproctitle

    setproctitle(title)


def _threads() -> int:
    """How many threads this process has, those that Python does not know of included."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - cheap
    return threading.active_count()


def _start_time(pid: int) -> float | None:
    """When a process was started; None if there is none, or it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _imported_files() -> dict[str, tuple[int, int] | None]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {path: _stamp(path) for path in files if path}


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def preload(module: str) -> None:
    """Import what runs need, and build the definitions; connect to nothing, start no thread."""
    for name in _SINGLE_THREADED:
        os.environ.setdefault(name, "1")
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from pipeline.dagster_host.internals import (
        CodePointer,
        InstanceRef,
        ReconstructableRepository,
        loadable_targets_from_python_module,
    )

    home = os.environ.get("DAGSTER_HOME")
    if home:
        for name in _plug_ins(InstanceRef.from_dir(home)):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    folder = os.getcwd()  # noqa: PTH109 - as Dagster writes it into a run's origin
    for target in loadable_targets_from_python_module(module, folder):
        pointer = CodePointer.from_module(module, target.attribute, folder)
        ReconstructableRepository(pointer).get_definition().get_all_jobs()


def _plug_ins(ref: Any) -> Iterator[str]:
    from pipeline.dagster_host.internals import ConfigurableClassData

    for value in ref:
        if isinstance(value, ConfigurableClassData):
            yield value.module_name


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description="Forks a process for each run of Dagster.")
    parser.add_argument("--socket", type=Path, help="where to listen")
    parser.add_argument("-m", dest="module", required=True, help="the module that holds the definitions")
    parser.add_argument("--inherit", type=int, nargs=2, metavar="FD", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if (options.socket is None) == (options.inherit is None):
        parser.error("--socket says where to listen")
    workers: list[Worker] = []
    kill_at: dict[Worker, float] = {}
    if options.inherit:
        listener = socket.socket(fileno=options.inherit[0])
        listener.set_inheritable(False)
        with open(options.inherit[1], "rb") as pipe:  # noqa: PTH123 - a descriptor
            left = json.load(pipe)
        workers = [Worker(**each) for each in left["workers"]]
        kill_at = {Worker(**each): at for each, at in left["kill_at"]}
    os.environ.setdefault(
        "SPT_NOENV", "1"
    )  # a run's title must not write over its environment, which others read
    preload(options.module)
    if not options.inherit:
        listener = local_socket.listen(options.socket)  # now: who can connect is served at once
    gc.collect()
    gc.freeze()  # what was imported is never looked at again, so that its memory stays shared
    RunServer(listener, options.module, workers, kill_at).serve()


if __name__ == "__main__":
    main()
