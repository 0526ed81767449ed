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
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from stack.home import PROJECT, Home
from stack.orphan_processes import terminate_orphans
from stack.processes import PLATFORM, SETUP, STORES, Program, common_environment
from stack.stack_error import StackError

_STARTING_SECONDS = 120
"""How long the supervisor may take to import Dagster and to answer, also on a slow machine."""
_POLL_SECONDS = 0.05
_STOPPING_SECONDS = 15
_ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """A running supervisord, controlled over its Unix socket."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    def _call(self, method: str, *arguments: object) -> Any:
        # Each call opens a new connection: the transport does not recover from a failed one.
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.socket}")
        with contextlib.closing(transport):
            server = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
            try:
                return getattr(server.supervisor, method)(*arguments)
            except (OSError, HTTPException, xmlrpc.client.Error) as error:
                raise StackError(
                    f"the supervisor does not answer ({error}); see logs/supervisor.log"
                ) from error

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
        """Stop the processes of a group, if it has any, and wait for their end."""
        if not self._states(group):
            return
        # The supervisor answers late, by up to a second, if it is the one that waits.
        self._call("stopProcessGroup", group, False)
        while any(state not in _ENDED for state in self._states(group)):
            time.sleep(_POLL_SECONDS)

    def _states(self, group: str) -> list[str]:
        return [
            str(entry["statename"]) for entry in self._call("getAllProcessInfo") if entry["group"] == group
        ]

    def states(self) -> dict[str, str]:
        """Return the state of each process by name, except those of SETUP: RUNNING, STARTING, BACKOFF, FATAL, ..."""
        return {
            str(entry["name"]): str(entry["statename"])
            for entry in self._call("getAllProcessInfo")
            if entry["group"] != SETUP
        }

    def exit_code(self, name: str) -> int | None:
        """Return the exit code of a process of SETUP that was started, 1 if it does not start, None while it runs."""
        info = self._call("getProcessInfo", f"{SETUP}:{name}")
        if info["statename"] not in _ENDED:
            return None
        return int(info["exitstatus"]) if info["statename"] == "EXITED" else 1

    def pids(self) -> dict[str, int]:
        """Return the process id of each running process, by name."""
        return {
            str(entry["name"]): int(entry["pid"]) for entry in self._call("getAllProcessInfo") if entry["pid"]
        }


@contextlib.contextmanager
def starting_supervisor(
    home: Home, *, warm: bool = True
) -> Iterator[Callable[[Sequence[Program]], Supervisor]]:
    """Start a supervisor, and yield a function that gives it the programs and waits until it answers.

    No program is started. At the end, the supervisor and all programs are stopped.

    Args:
        home: The home of the platform.
        warm: Whether the supervisor imports Dagster, so that programs start faster (`stack.warm_supervisor`). It does
            so from now on, while the caller prepares what the programs need.
    """
    # The path of a Unix socket has at most 107 characters; a home's path may be longer.
    with tempfile.TemporaryDirectory(prefix="registru-") as folder:
        supervisor = Supervisor(f"{folder}/supervisor.sock")
        config = home.run / "supervisord.conf"
        with (home.logs / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stack.warm_supervisor", *(() if warm else ("--cold",)), str(config)],
                env=common_environment(home),
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches only the command, which then stops everything cleanly
                preexec_fn=_terminate_with_parent,
            )

        def configure(programs: Sequence[Program]) -> Supervisor:
            _write_config(config, home, programs, supervisor.socket)
            assert process.stdin is not None
            # If it has died, `_wait_for_socket` says so.
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(b"configured\n")
            _wait_for_socket(process, supervisor, home)
            return supervisor

        try:
            yield configure
        finally:
            # A second Ctrl-C must not interrupt the shutdown.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            _stop(process, supervisor)
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
        time.sleep(_POLL_SECONDS)


def _stop(process: "subprocess.Popen[bytes]", supervisor: Supervisor) -> None:
    assert process.stdin is not None
    process.stdin.close()
    # The stores stop last, so that the other processes can still store how they ended.
    with contextlib.suppress(StackError):
        for group in (PLATFORM, SETUP, STORES):
            supervisor.stop(group)
    process.terminate()
    deadline = time.monotonic() + _STOPPING_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(StackError):
            supervisor.states()  # a call wakes the supervisor, which otherwise sleeps for up to a second
        time.sleep(_POLL_SECONDS)
    process.kill()
    process.wait()


def _write_config(path: Path, home: Home, programs: Sequence[Program], socket: str) -> None:
    """Write supervisord's configuration with mode 0600, because it contains environments, which may hold secrets."""
    path.unlink(missing_ok=True)
    sections = [
        f"[unix_http_server]\nfile={socket}\nchmod=0700",
        f"[supervisord]\nnodaemon=true\nlogfile={_escaped(home.logs / 'supervisor.log')}\n"
        f"pidfile={_escaped(home.run / 'supervisord.pid')}\nloglevel=info",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        *(_section(home, program) for program in programs),
        *(_group(group, programs) for group in dict.fromkeys(program.group for program in programs)),
    ]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n\n".join(sections) + "\n")


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
            f"autorestart={'false' if program.group == SETUP else 'true'}",
            # A process that ends sooner has failed to start. After three failures its state is FATAL.
            f"startsecs={0 if program.group == SETUP else 4}",
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
