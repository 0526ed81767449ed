"""Program that checks the settings of a Dagster process and then starts the process.

    python -m pipeline.dagster_host.preflight dagster|pipeline MODULE [ARGUMENT...]

The first argument names the settings to check: `dagster` stands for the URL of Dagster's database; `pipeline` stands
for the same URL and the settings of the stores, the browser and telemetry. If a setting is wrong, the program prints
one line that says why, and ends. Without the check, Dagster would print a traceback at its first query.
"""

import os
import sys

from pydantic_settings import BaseSettings

from pipeline.dagster_host.dagster_settings import DagsterSettings
from pipeline.settings import PipelineSettings
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start

_SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "dagster": (DagsterSettings,),
    "pipeline": (DagsterSettings, PipelineSettings, TelemetrySettings),
}


def main() -> None:
    """Check the settings, then replace this process with the Dagster process."""
    if len(sys.argv) < 3 or sys.argv[1] not in _SETTINGS:
        sys.exit(
            f"usage: python -m pipeline.dagster_host.preflight {'|'.join(_SETTINGS)} MODULE [ARGUMENT...]"
        )
    try:
        for settings in _SETTINGS[sys.argv[1]]:
            load(settings)
    except SettingsRefused as reason:
        refuse_to_start(reason)
    # Execute a new program instead of calling MODULE in this one. Otherwise the run server would start with the modules
    # that this program has imported.
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])  # noqa: S606 - our own program


if __name__ == "__main__":
    main()
