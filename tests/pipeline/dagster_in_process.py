"""Runs Dagster jobs in the process of the tests."""

from dataclasses import dataclass
from typing import Any

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult
from redis import Redis
from sqlalchemy import text

from pipeline.definitions import defs
from pipeline.settings import current_settings
from standin import Site
from tests.warehouse_server import Databases
from warehouse.contract import SWEEP_JOB


@dataclass(frozen=True)
class InProcessDagster:
    """The stores, a stand-in site and a Dagster instance, without further processes."""

    databases: Databases
    redis: Redis
    site: Site
    instance: DagsterInstance
    monkeypatch: pytest.MonkeyPatch

    def set(self, **settings: str) -> None:
        """Change settings. An empty value unsets one."""
        for name, value in settings.items():
            if value:
                self.monkeypatch.setenv(f"REGISTRU_{name.upper()}", value)
            else:
                self.monkeypatch.delenv(f"REGISTRU_{name.upper()}", raising=False)
        current_settings.cache_clear()

    def sweep(self, **config: Any) -> "SweepRun":
        """Run the job `sweep_register`."""
        job = defs.resolve_job_def(SWEEP_JOB)
        run_config = {"ops": {"walk_register": {"config": config}}}
        return SweepRun(job.execute_in_process(run_config, instance=self.instance, raise_on_error=False))

    def query(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return rows of the warehouse."""
        with self.databases.warehouse() as connection:
            return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]

    def tracked(self) -> list[str]:
        """Return the IDNOs of the tracked companies."""
        rows = self.query("SELECT idno FROM tracked_companies ORDER BY idno")
        return [row["idno"] for row in rows]

    def list_requests(self) -> int:
        """Return how many pages of its list the site has served."""
        return sum(request.path == "/api/companies" for request in self.site.requests)


@dataclass(frozen=True)
class SweepRun:
    """A finished run of `sweep_register`."""

    result: ExecuteInProcessResult

    @property
    def success(self) -> bool:
        """Whether the run succeeded."""
        return self.result.success

    @property
    def error(self) -> str:
        """The errors of its failed steps."""
        return "\n".join(
            str(event.step_failure_data.error_display_string)
            for event in self.result.all_events
            if event.is_step_failure
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of its materialization, with tables as rows."""
        [event] = [
            event for event in self.result.all_events if event.event_type_value == "ASSET_MATERIALIZATION"
        ]
        entries = event.materialization.metadata
        return {name: getattr(entry, "records", None) or entry.value for name, entry in entries.items()}
