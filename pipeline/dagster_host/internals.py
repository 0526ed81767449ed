"""Private parts of Dagster that the pipeline needs, imported here and in no other module.

Dagster may change modules whose path contains an underscore (`dagster._core`, …) in any release. When you upgrade
Dagster, check this list. `tests/test_imports.py` enforces that no other product module imports such a module.

Importing this module takes long, because it imports large parts of Dagster. Therefore the run server, and the modules
that it imports at its top, import this module inside functions. Parts that only one kind of process needs are imported
inside the functions below.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

# Refers to the definitions in a module, in the form that Dagster stores as a run's origin.
from dagster._core.code_pointer import CodePointer as CodePointer

# Builds the definitions that a CodePointer refers to, before the first run needs them.
from dagster._core.definitions.reconstruct import ReconstructableRepository as ReconstructableRepository

# Describes an instance, so that another process can open the same instance. It can also read dagster.yaml without
# opening the instance.
from dagster._core.instance.ref import InstanceRef as InstanceRef

# What a run launcher receives, and what it answers to run monitoring.
from dagster._core.launcher.base import CheckRunHealthResult as CheckRunHealthResult
from dagster._core.launcher.base import LaunchRunContext as LaunchRunContext
from dagster._core.launcher.base import WorkerStatus as WorkerStatus

# The base class of a storage that dagster.yaml names below `storage: custom:`.
from dagster._core.storage.base_storage import DagsterStorage as DagsterStorage

# The statuses of runs that count towards `max_concurrent_runs`, as Dagster's queue counts them.
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES as ACTIVE_RUN_STATUSES

# Stores the output of runs in files on this machine. The Celery worker checks whether the instance uses this class.
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager as LocalComputeLogManager

# The tag of runs that Dagster's own launcher started through a code server.
from dagster._core.storage.tags import GRPC_INFO_TAG as GRPC_INFO_TAG

# Finds the definitions in a module, as the code server does.
from dagster._core.workspace.autodiscovery import (
    loadable_targets_from_python_module as loadable_targets_from_python_module,
)

# The arguments of a Celery task that executes a run.
from dagster._grpc.types import ExecuteRunArgs as ExecuteRunArgs

# The base class of the plug-ins that dagster.yaml names, and the class of a plug-in's config.
from dagster._serdes import ConfigurableClass as ConfigurableClass
from dagster._serdes import ConfigurableClassData as ConfigurableClassData

# Unpacks ExecuteRunArgs from the message of a Celery task.
from dagster._serdes import unpack_value as unpack_value

# Returns Dagster's own explanation of why a run's process died.
from dagster._utils import get_run_crash_explanation as get_run_crash_explanation

# Delays a SIGINT until Dagster is at a point where it can end the run.
from dagster._utils.interrupts import capture_interrupts as capture_interrupts

if TYPE_CHECKING:
    # A request of the web UI.
    from dagster._core.workspace.context import WorkspaceRequestContext as WorkspaceRequestContext

RUN_MODULES = (
    "dagster._cli.api",
    "dagster._core.execution.api",
    "dagster._core.execution.plan.active",
    "dagster._core.instance.factory",
    "dagster._core.system_config.composite_descent",
)
"""Modules that Dagster imports only during a run. A process that forks runs imports them in advance."""
SERVER_MODULES = ("dagster._cli", "dagster._daemon.cli", "dagster._grpc.server")
"""The commands of Dagster's servers. A process that forks servers imports them in advance."""


def execute_run_command_body(
    run_id: str, instance: Any, write_event: Callable[[Any], None], *, set_exit_code_on_failure: bool
) -> int:
    """Execute a run in the current process, as the command `dagster api execute_run` does. Return the exit code."""
    # Not imported above, because short-lived processes such as health checks load this module but execute no run.
    from dagster._cli.api import _execute_run_command_body

    return _execute_run_command_body(
        run_id, instance, write_event, set_exit_code_on_failure=set_exit_code_on_failure
    )


def set_viewer_tags(viewer_tags: Callable[["WorkspaceRequestContext"], dict[str, str]]) -> None:
    """Set the function that returns the tags of backfills which users launch in the web UI."""
    from dagster._core.workspace.context import WorkspaceRequestContext

    setattr(WorkspaceRequestContext, "get_viewer_tags", viewer_tags)  # noqa: B010
