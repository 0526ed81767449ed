"""The warehouse as a resource."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr
from sqlalchemy import Connection, Engine

from pipeline.records.warehouse_engine import engine_for
from pipeline.settings import current_settings
from warehouse.config.credentials import sign_in_as_current
from warehouse.schema.database_roles import WAREHOUSE_DATABASE
from warehouse.schema.revision_check import check_schema


class Warehouse(ConfigurableResource):  # type: ignore[type-arg]
    """Connections to the warehouse in the pipeline's role (settings: warehouse_url), if its tables fit this code."""

    _engine: Engine = PrivateAttr()
    _is_checked: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Prepare the pool; nothing connects yet."""
        current = current_settings()
        self._engine = engine_for(current.settings.warehouse_url)
        sign_in_as_current(self._engine, current, lambda now: now.warehouse_url)

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Close the pool."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection in a transaction: committed at the end, rolled back on any error.

        Raises SchemaMismatch, before the first one: who writes facts never does so into tables it does not know.
        """
        with self._engine.begin() as connection:
            if not self._is_checked:
                check_schema(connection, database=WAREHOUSE_DATABASE)
                self._is_checked = True
            yield connection
