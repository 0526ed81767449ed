"""Imports for a process that forks runs: done once, before the first fork, and watched for changes on disk.

Processes that a run spawns import this module again, through the run server: it imports nothing heavy at its top.
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
"""Time of the last change in nanoseconds, and size in bytes."""

_MODULES = (
    *("upath.implementations.local", "fsspec.implementations.local", "setproctitle", "psycopg2.extras"),
    *("sqlalchemy.dialects.postgresql.psycopg2", "alembic.config", "httpcore", "h11", "anyio", "trio"),
)
"""Modules that a run would otherwise import while it is under way. One that is not installed is skipped."""
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Numeric libraries start threads when they are imported, unless these variables limit their number."""


def preload(module: str) -> None:
    """Import what runs need and build the definitions in `module`, without a connection and without a thread."""
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
    folder = os.getcwd()  # noqa: PTH109 - as Dagster writes it into a run's origin
    for target in loadable_targets_from_python_module(module, folder):
        pointer = CodePointer.from_module(module, target.attribute, folder)
        ReconstructableRepository(pointer).get_definition().get_all_jobs()


def _plug_ins(ref: "InstanceRef") -> Iterator[str]:
    """Yield the modules of the plug-ins that an instance's dagster.yaml names."""
    from pipeline.dagster_host.internals import ConfigurableClassData

    for value in ref:
        if isinstance(value, ConfigurableClassData):
            yield value.module_name


def imported_files() -> dict[str, FileStamp | None]:
    """Return the file of each imported module with its stamp."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {path: _stamp(path) for path in files if path}


def have_changed(files: dict[str, FileStamp | None]) -> bool:
    """Tell whether any of these files has another stamp now."""
    return any(_stamp(path) != stamp for path, stamp in files.items())


def _stamp(path: str) -> FileStamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of them
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
