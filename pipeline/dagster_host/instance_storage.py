"""Dagster's storage in PostgreSQL. The settings contain its URL; the password may change while a process runs.

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
from warehouse.config.credentials import use_current_login


class _UsesCurrentLogin:
    """Makes each engine of a Dagster storage log in with the current password.

    A storage creates its engine itself and assigns it to `_engine`. In the webserver it later replaces the engine. So
    this class intercepts each assignment to `_engine`.
    """

    @property
    def _engine(self) -> Engine:
        return self.__engine

    @_engine.setter
    def _engine(self, engine: Engine) -> None:
        use_current_login(engine, dagster_settings(), lambda now: now.dagster_database_url)
        self.__engine = engine


class _Runs(_UsesCurrentLogin, PostgresRunStorage):
    pass


class _Events(_UsesCurrentLogin, PostgresEventLogStorage):
    pass


class _Schedules(_UsesCurrentLogin, PostgresScheduleStorage):
    pass


class Storage(DagsterStorage, ConfigurableClass):
    """All storages of Dagster in one database. Raises SettingsRefused if the settings lack the database's URL."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        url = dagster_settings().settings.dagster_database_url
        self._runs, self._events, self._schedules = _Runs(url), _Events(url), _Schedules(url)

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """The config of this class in dagster.yaml."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> Any:
        """Return an empty schema, because the URL is in the settings."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Create a storage from its config in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def run_storage(self) -> PostgresRunStorage:
        """The storage of runs."""
        return self._runs

    @property
    def event_log_storage(self) -> PostgresEventLogStorage:
        """The storage of events."""
        return self._events

    @property
    def schedule_storage(self) -> PostgresScheduleStorage:
        """The storage of schedules."""
        return self._schedules

    @property
    def run_storage_data(self) -> None:
        """None, because dagster.yaml does not configure this storage separately."""

    @property
    def event_storage_data(self) -> None:
        """None, because dagster.yaml does not configure this storage separately."""

    @property
    def schedule_storage_data(self) -> None:
        """None, because dagster.yaml does not configure this storage separately."""
