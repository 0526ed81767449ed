"""Dagster's storage in PostgreSQL, whose URL comes from wherever settings come from, and whose password may change.

In dagster.yaml:

    storage:
      custom:
        module: pipeline.dagster_host.instance_storage
        class: Storage
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage
from sqlalchemy import Engine

from pipeline.dagster_host.dagster_settings import dagster_settings
from pipeline.dagster_host.internals import ConfigurableClass, ConfigurableClassData, DagsterStorage
from warehouse.config.credentials import sign_in_as_current


class _SignsInAsCurrent:
    """Hears of every engine that Dagster's storage makes for itself: it makes another one for the webserver."""

    @property
    def _engine(self) -> Engine:
        return self.__engine

    @_engine.setter
    def _engine(self, engine: Engine) -> None:
        sign_in_as_current(engine, dagster_settings(), lambda now: now.dagster_database_url)
        self.__engine = engine


class _Runs(_SignsInAsCurrent, PostgresRunStorage):
    pass


class _Events(_SignsInAsCurrent, PostgresEventLogStorage):
    pass


class _Schedules(_SignsInAsCurrent, PostgresScheduleStorage):
    pass


class Storage(DagsterStorage, ConfigurableClass):
    """All of Dagster's storage, in one database. Raises SettingsRefused where the settings do not name it."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        url = dagster_settings().settings.dagster_database_url
        self._runs, self._events, self._schedules = _Runs(url), _Events(url), _Schedules(url)

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What dagster.yaml says."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> Any:
        """Nothing: the settings say all."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make one, from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def run_storage(self) -> PostgresRunStorage:
        """Runs."""
        return self._runs

    @property
    def event_log_storage(self) -> PostgresEventLogStorage:
        """Events."""
        return self._events

    @property
    def schedule_storage(self) -> PostgresScheduleStorage:
        """Schedules."""
        return self._schedules

    @property
    def run_storage_data(self) -> None:
        """Nothing to be made apart from this."""

    @property
    def event_storage_data(self) -> None:
        """Nothing to be made apart from this."""

    @property
    def schedule_storage_data(self) -> None:
        """Nothing to be made apart from this."""
