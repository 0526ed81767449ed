"""The supervisor (supervisord), which starts the processes, restarts those that die, and stops all of them."""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from stack.home import PROJECT, Home
from stack.orphan_processes import terminate_orphans
from stack.processes import PLATFORM, STORES, Program, common_environment
from stack.stack_error import StackError

_STARTING_SECONDS = 10
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """A running supervisord, controlled over its Unix socket."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    @property
    def _rpc(self) -> Any:
        # Each call opens a new connection: the transport does not recover from a failed one.
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.socket}")
        return xmlrpc.client.ServerProxy("http://supervisor", transport=transport).supervisor

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            return getattr(self._rpc, method)(*arguments)
        except (OSError, HTTPException, xmlrpc.client.Error) as error:
            raise StackError(f"the supervisor does not answer ({error}); see logs/supervisor.log") from error

    def start(self, group: str) -> None:
        """Start the processes of a group."""
        self._call("startProcessGroup", group, False)

    def start_process(self, name: str) -> None:
        """Start a process that the supervisor itself no longer restarts, because the start failed too often."""
        self._call("startProcess", self._full_name(name), False)

    def restart(self, name: str) -> None:
        """Stop a process with its stop signal, and start it again."""
        full_name = self._full_name(name)
        self._call("stopProcess", full_name, True)
        self._call("startProcess", full_name, False)

    def _full_name(self, name: str) -> str:
        entry = next(info for info in self._call("getAllProcessInfo") if info["name"] == name)
        return f"{entry['group']}:{name}"

    def signal(self, group: str, name: str, number: signal.Signals) -> None:
        """Send a signal to a process."""
        self._call("signalProcess", f"{group}:{name}", number.name)

    def stop(self, group: str) -> None:
        """Stop the processes of a group and wait for their end."""
        self._call("stopProcessGroup", group, True)

    def states(self) -> dict[str, str]:
        """Return the state of each process by name: RUNNING, STARTING, BACKOFF, FATAL, ..."""
        return {str(entry["name"]): str(entry["statename"]) for entry in self._call("getAllProcessInfo")}

    def pids(self) -> dict[str, int]:
        """Return the process id of each running process, by name."""
        return {
            str(entry["name"]): int(entry["pid"]) for entry in self._call("getAllProcessInfo") if entry["pid"]
        }

    def shutdown(self) -> None:
        """Stop the supervisor itself."""
        self._call("shutdown")


@contextlib.contextmanager
def run_supervisor(home: Home, programs: Sequence[Program]) -> Iterator[Supervisor]:
    """Run a supervisor for `programs`, without starting them. At the end, stop the supervisor and all programs."""
    # The path of a Unix socket has at most 107 characters; a home's path may be longer.
    with tempfile.TemporaryDirectory(prefix="registru-") as folder:
        socket = f"{folder}/supervisor.sock"
        config = _write_config(home, programs, socket)
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
            env=common_environment(home),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches only the command, which then stops everything cleanly
            preexec_fn=_terminate_with_parent,
        )
        try:
            supervisor = Supervisor(socket)
            _wait_for_socket(process, supervisor, home)
            yield supervisor
        finally:
            # A second Ctrl-C must not interrupt the shutdown.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            _stop(process, Supervisor(socket))
            terminate_orphans(home)


def _terminate_with_parent() -> None:
    """Let the kernel (Linux) send SIGTERM to the supervisor if the command is killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_for_socket(process: "subprocess.Popen[bytes]", supervisor: Supervisor, home: Home) -> None:
    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        with contextlib.suppress(StackError):
            supervisor.states()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"the supervisor did not start; see {home.logs / 'supervisor.log'}")
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]", supervisor: Supervisor) -> None:
    # The stores stop last, so that the other processes can still store how they ended.
    with contextlib.suppress(StackError):
        supervisor.stop(PLATFORM)
        supervisor.stop(STORES)
        supervisor.shutdown()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _write_config(home: Home, programs: Sequence[Program], socket: str) -> Path:
    """Write supervisord's configuration with mode 0600, because it contains environments, which may hold secrets."""
    path = home.run / "supervisord.conf"
    path.unlink(missing_ok=True)
    sections = [
        f"[unix_http_server]\nfile={socket}\nchmod=0700",
        f"[supervisord]\nnodaemon=true\nlogfile={_escaped(home.logs / 'supervisor.log')}\n"
        f"pidfile={_escaped(home.run / 'supervisord.pid')}\nloglevel=info",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        *(_section(home, program) for program in programs),
        *(_group(group, programs) for group in (STORES, PLATFORM)),
    ]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n\n".join(sections) + "\n")
    return path


def _section(home: Home, program: Program) -> str:
    return "\n".join(
        (
            f"[program:{program.name}]",
            f"command={_escaped(shlex.join(program.command))}",
            f"environment={_environment(program.environment)}",
            f"stdout_logfile={_escaped(home.logs / program.name)}.log",
            "redirect_stderr=true",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
            "autostart=false",
            "autorestart=true",
            # A process that ends sooner has failed to start. After three failures its state is FATAL.
            "startsecs=4",
            "startretries=2",
            f"stopsignal={program.stop_signal}",
            f"stopwaitsecs={program.stop_seconds}",
            "stopasgroup=true",
            "killasgroup=true",
        )
    )


def _group(group: str, programs: Sequence[Program]) -> str:
    return f"[group:{group}]\nprograms={','.join(program.name for program in programs if program.group == group)}"


def _environment(environment: Mapping[str, str]) -> str:
    return ",".join(f"{name}={_quoted(name, value)}" for name, value in environment.items())


def _quoted(name: str, value: str) -> str:
    """Quote a value with the kind of quotes (single or double) that it lacks, because supervisord cannot escape quotes.

    Raises StackError if the value contains both kinds. `name` is the name of the value, for the message.
    """
    quote = next((mark for mark in "\"'" if mark not in value), None)
    if quote is None:
        raise StackError(f"{name} contains both single and double quotes; only one kind is allowed")
    return f"{quote}{_escaped(value)}{quote}"


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")
