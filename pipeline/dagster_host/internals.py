"""Private parts of Dagster that the pipeline needs, imported here and in no other module.

Dagster keeps no compatibility promise for modules below an underscore (`dagster._core`, …). This list is what to check
when Dagster is upgraded. `tests/test_imports.py` enforces that no other product module imports such a module.

This module imports large parts of Dagster, which takes long. The run server and what it imports at its top therefore
import it inside functions. What only one kind of process needs is imported inside the functions here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

# Names the definitions of a module in the form that a run's origin has.
from dagster._core.code_pointer import CodePointer as CodePointer

# Builds those definitions before the first run needs them.
from dagster._core.definitions.reconstruct import ReconstructableRepository as ReconstructableRepository

# Describes an instance, so that another process opens the same one. Also reads dagster.yaml without opening anything.
from dagster._core.instance.ref import InstanceRef as InstanceRef

# What a run launcher receives, and what it answers to run monitoring.
from dagster._core.launcher.base import CheckRunHealthResult as CheckRunHealthResult
from dagster._core.launcher.base import LaunchRunContext as LaunchRunContext
from dagster._core.launcher.base import WorkerStatus as WorkerStatus

# The base class of a storage that dagster.yaml names below `storage: custom:`.
from dagster._core.storage.base_storage import DagsterStorage as DagsterStorage

# The statuses of runs that count towards `max_concurrent_runs`, as Dagster's queue counts them.
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES as ACTIVE_RUN_STATUSES

# Shows that an instance stores the output of runs in files on this machine.
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager as LocalComputeLogManager

# The tag of runs that Dagster's own launcher started through a code server.
from dagster._core.storage.tags import GRPC_INFO_TAG as GRPC_INFO_TAG

# Finds the definitions in a module, as the code server does.
from dagster._core.workspace.autodiscovery import (
    loadable_targets_from_python_module as loadable_targets_from_python_module,
)

# The arguments of a Celery task that executes a run.
from dagster._grpc.types import ExecuteRunArgs as ExecuteRunArgs

# What makes a class a plug-in that dagster.yaml can name and configure.
from dagster._serdes import ConfigurableClass as ConfigurableClass
from dagster._serdes import ConfigurableClassData as ConfigurableClassData

# Unpacks those arguments of a Celery task.
from dagster._serdes import unpack_value as unpack_value

# Explains the death of a run's process in the words that Dagster uses.
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
"""Modules that Dagster imports while a run is under way, unless they have been imported before."""


def execute_run_command_body(
    run_id: str, instance: Any, write_event: Callable[[Any], None], *, set_exit_code_on_failure: bool
) -> int:
    """Execute a run in the current process, as the command `dagster api execute_run` does. Return the exit code."""
    # Imported here: plug-ins of short-lived processes, such as health checks, need none of it.
    from dagster._cli.api import _execute_run_command_body

    return _execute_run_command_body(
        run_id, instance, write_event, set_exit_code_on_failure=set_exit_code_on_failure
    )


def set_viewer_tags(viewer_tags: Callable[["WorkspaceRequestContext"], dict[str, str]]) -> None:
    """Set the function that returns the tags of backfills which users launch in the web UI."""
    from dagster._core.workspace.context import WorkspaceRequestContext

    setattr(WorkspaceRequestContext, "get_viewer_tags", viewer_tags)  # noqa: B010
