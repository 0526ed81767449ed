"""supervisord with Dagster imported: it forks the Python programs that need Dagster, so that they start at once.

    python -m stack.warm_supervisor [--cold] CONFIG

A new interpreter needs seconds to import Dagster, and five programs of the platform import it. This process imports it
once, while the command `registru up` prepares the stores. It then waits for a line on standard input, which says that
the file CONFIG is written, and becomes supervisord. With `--cold`, it imports nothing in advance.

supervisord starts each program in a forked process. For one of `_MODULES`, that process runs the module itself instead
of replacing itself with a new interpreter. If a file of the imported modules has changed in the meantime, or the
imports have failed, the process does start a new interpreter. So a restarted program always runs the code on disk.

Forking is safe because this process has one thread, no connection and no gRPC channel (as in
`pipeline.dagster_host.run_server`).
"""

import atexit
import contextlib
import gc
import os
import runpy
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn

from supervisor.options import ServerOptions
from supervisor.supervisord import go

from pipeline.dagster_host.preloading import FileStamp, have_changed, imported_files, preload_servers
from pipeline.dagster_host.process_tree import count_threads, set_title

_DEFINITIONS = "pipeline.definitions"
_MODULES = (
    "dagster",
    "dagster._daemon",
    "pipeline.dagster_host.run_server",
    "pipeline.dagster_host.webserver",
    "pipeline.extract.browser.browser_lender",
    "stack.database_setup",
    "stack.recover",
)
"""Modules that a forked process runs itself: programs whose imports `preload_servers` has done."""

_Files = dict[str, FileStamp | None]


def main() -> None:
    """Import Dagster, wait for the configuration, and supervise."""
    *options, config = sys.argv[1:]
    files = {} if "--cold" in options else _preload()
    if not sys.stdin.readline():
        return  # the command has ended
    supervisord = ServerOptions()
    supervisord.realize(["--nodaemon", "--configuration", config])
    supervisord.first, supervisord.test = True, False
    supervisord.execve = partial(_execute, files, supervisord.execve)
    go(supervisord)
    supervisord.close_httpservers()
    supervisord.close_logger()


def _preload() -> _Files:
    """Import what the programs need. Return the stamps of the imported files; none if an import failed."""
    gc.disable()  # imports only allocate, so collecting is a waste of time
    try:
        preload_servers(_DEFINITIONS)
    except Exception:
        # Each program reports the error itself, when it fails to start.
        traceback.print_exc()
        return {}
    finally:
        gc.freeze()  # the collector never touches imported objects again, so forked processes share their memory
        gc.enable()
    return imported_files()


def _execute(
    files: _Files,
    execve: Callable[..., None],
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
) -> None:
    """Replace a forked process with a program: in this interpreter if possible, otherwise as supervisord does."""
    option, module = (*arguments, "", "")[1:3]
    is_warm = program == sys.executable and option == "-m" and module in _MODULES
    if is_warm and files and count_threads() == 1 and not have_changed(files):
        _run(module, arguments[3:], environment)
    execve(program, arguments, environment)


def _run(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run a module as the program of this process, then end the process as the interpreter would."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Tells setproctitle not to overwrite the environment, which other programs read.
    keep_environment = {"SPT_NOENV": "1"}
    os.environ.update(keep_environment)
    # Before the environment is replaced, because setproctitle finds the command line next to the old one. The title is
    # cut to the length of this process's own command line.
    set_title(" ".join(("python", "-m", module, *arguments)))
    os.environ.clear()
    os.environ.update({**environment, **keep_environment})
    sys.argv = [module, *arguments]
    # runpy warns that a module which it executes has been imported before.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="runpy")
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:
        traceback.print_exc()
    finally:
        # What the interpreter does at its end; multiprocessing ends a forked process in the same way.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main()
