"""Starts a process of Dagster's, once its settings are known to be good; otherwise it says in a line what is wrong.

    python -m pipeline.dagster_host.preflight dagster|pipeline MODULE [ARGUMENT...]

The first word says what the process needs: `dagster` is its database, `pipeline` the stores and a browser besides.
Dagster would find out by itself, in a traceback at its first query.
"""

import os
import sys

from pydantic_settings import BaseSettings

from pipeline.dagster_host.dagster_settings import DagsterSettings
from pipeline.settings import PipelineSettings
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start

_NEEDS: dict[str, tuple[type[BaseSettings], ...]] = {
    "dagster": (DagsterSettings,),
    "pipeline": (DagsterSettings, PipelineSettings, TelemetrySettings),
}


def main() -> None:
    """Check the settings, then become the process."""
    if len(sys.argv) < 3 or sys.argv[1] not in _NEEDS:
        sys.exit(f"usage: python -m pipeline.dagster_host.preflight {'|'.join(_NEEDS)} MODULE [ARGUMENT...]")
    try:
        for settings in _NEEDS[sys.argv[1]]:
            load(settings)
    except SettingsRefused as reason:
        refuse_to_start(reason)
    # A new program, not this one grown: the server of runs must begin with nothing but itself.
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])  # noqa: S606 - our own program


if __name__ == "__main__":
    main()
