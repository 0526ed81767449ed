"""The warehouse as a Dagster resource."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr
from sqlalchemy import Connection, Engine

from pipeline.records.warehouse_engine import engine_for
from pipeline.settings import current_settings
from warehouse.config.credentials import use_current_login
from warehouse.schema.database_roles import WAREHOUSE_DATABASE
from warehouse.schema.revision_check import check_schema


class Warehouse(ConfigurableResource):  # type: ignore[type-arg]
    """Connections to the warehouse in the pipeline's role (settings: warehouse_url)."""

    _engine: Engine = PrivateAttr()
    _is_checked: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Create the connection pool, without connecting yet."""
        current = current_settings()
        self._engine = engine_for(current.settings.warehouse_url)
        use_current_login(self._engine, current, lambda now: now.warehouse_url)

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Close the connection pool."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, which is committed at the end or rolled back on an error.

        The first call also checks the schema: it raises SchemaMismatch if the schema is older or newer than the code
        expects. So no run writes into tables whose form it does not know.
        """
        with self._engine.begin() as connection:
            if not self._is_checked:
                check_schema(connection, database=WAREHOUSE_DATABASE)
                self._is_checked = True
            yield connection
