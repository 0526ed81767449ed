"""Runs the Alembic migrations of the warehouse and of the API's own database."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from warehouse.schema.advisory_locks import MIGRATION_LOCK


def migrate(*, scripts: Path, url: str, revision: str = "head") -> None:
    """Migrate a database to `revision`. `scripts` is the folder of migrations; `url` signs in as the owner."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, revision)


def run_online(context: Any) -> None:
    """Run all migrations in one transaction. Each env.py calls this with `alembic.context`."""
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            # Two processes that start at the same time migrate one after the other.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            context.run_migrations()
