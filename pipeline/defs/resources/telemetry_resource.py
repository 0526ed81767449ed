"""Telemetry as a Dagster resource: the log lines and spans of a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster import ConfigurableResource, DagsterRun, InitResourceContext
from pydantic import PrivateAttr

from telemetry import logs, traces
from telemetry.settings import TelemetrySettings
from warehouse.config.settings import load
from warehouse.contract import KIND_TAG, REQUEST_ID_TAG, TRACEPARENT_TAG

_LOGGERS = ("pipeline", "telemetry")
_SERVICE = "run"


class Telemetry(ConfigurableResource):  # type: ignore[type-arg]
    """Logs and traces of the process, which executes one run (settings: log_format, otlp_endpoint)."""

    _run: DagsterRun | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Set up logs and traces before the first step, because Dagster redirects the output of steps."""
        settings = load(TelemetrySettings)
        self._run = context.run
        tags = self._run.tags if self._run else {}
        logs.set_up_beside_dagster(settings.log_format, *_LOGGERS)
        logs.bind(service=_SERVICE, run_id=self._run.run_id if self._run else None)
        logs.bind(request_id=tags.get(REQUEST_ID_TAG), kind=tags.get(KIND_TAG))
        traces.set_up(settings.otlp_endpoint, service=_SERVICE)

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Send the remaining spans before the process ends."""
        traces.close()

    @contextmanager
    def step(self, name: str) -> Iterator[Any]:
        """Record a span of a step, as a child of the span that launched the run."""
        run = self._run
        parent = run.tags.get(TRACEPARENT_TAG) if run else None
        about: dict[str, Any] = {}
        if run:
            about = {"run_id": run.run_id, "request_id": run.tags.get(REQUEST_ID_TAG)}
        with traces.span(name, parent=parent, **about) as span:
            yield span
