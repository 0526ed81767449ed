"""Imports for processes that fork runs or servers. It also detects whether imported files have changed.

Processes that a run spawns (multiprocessing) import the run server again, and with it this module. So this module
imports nothing heavy at its top.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.dagster_host.internals import InstanceRef

FileStamp = tuple[int, int]
"""The modification time of a file in nanoseconds, and its size in bytes."""

_MODULES = (
    *("upath.implementations.local", "fsspec.implementations.local", "setproctitle", "psycopg2.extras"),
    *("sqlalchemy.dialects.postgresql.psycopg2", "alembic.config", "httpcore", "h11", "anyio", "trio"),
)
"""Modules that a run would otherwise import while it works. Modules that are not installed are skipped."""
_SERVER_MODULES = (
    *("dagster_webserver.cli", "dagster_webserver.webserver", "dagster_graphql.schema"),
    *("pipeline.dagster_host.instance_storage", "pipeline.dagster_host.run_coordinator"),
    *("pipeline.dagster_host.run_launcher", "pipeline.extract.browser.browser_lender"),
)
"""Modules that Dagster's servers and the browser lender import, besides those of Dagster itself."""
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit numeric libraries to one thread. Forking is safe only without other threads."""


def preload(module: str) -> None:
    """Import what runs need and build the definitions in `module`. Open no connection and start no thread."""
    for name in _SINGLE_THREADED:
        os.environ.setdefault(name, "1")
    from pipeline.dagster_host.internals import (
        RUN_MODULES,
        CodePointer,
        InstanceRef,
        ReconstructableRepository,
        loadable_targets_from_python_module,
    )

    home = os.environ.get("DAGSTER_HOME")
    plug_ins = _plug_ins(InstanceRef.from_dir(home)) if home else ()
    for name in (*RUN_MODULES, *_MODULES, *plug_ins):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    folder = os.getcwd()  # noqa: PTH109 - the text that Dagster stores in a run's origin
    for target in loadable_targets_from_python_module(module, folder):
        pointer = CodePointer.from_module(module, target.attribute, folder)
        ReconstructableRepository(pointer).get_definition().get_all_jobs()


def preload_servers(module: str) -> None:
    """Import what Dagster's servers, the run server and the browser lender need, and the definitions in `module`.

    Open no connection and start no thread.
    """
    preload(module)
    from pipeline.dagster_host.internals import SERVER_MODULES

    for name in (*SERVER_MODULES, *_SERVER_MODULES):
        importlib.import_module(name)


def _plug_ins(ref: "InstanceRef") -> Iterator[str]:
    """Yield the modules of the plug-ins that an instance's dagster.yaml names."""
    from pipeline.dagster_host.internals import ConfigurableClassData

    for value in ref:
        if isinstance(value, ConfigurableClassData):
            yield value.module_name


def imported_files() -> dict[str, FileStamp | None]:
    """Return the paths of all imported modules, each with the stamp of its file (None for an unreadable file)."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {path: _stamp(path) for path in files if path}


def have_changed(files: dict[str, FileStamp | None]) -> bool:
    """Tell whether any of these files has now another stamp than the one in `files`."""
    return any(_stamp(path) != stamp for path, stamp in files.items())


def _stamp(path: str) -> FileStamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - called for thousands of files
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
