"""A PostgreSQL server with the platform's databases and roles, for tests that do not need the rest."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from stack import postgres
from stack.home import Home
from stack.ports import LOOPBACK, free_ports
from stack.secrets import Secrets, load_or_create
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS


@dataclass(frozen=True)
class Databases:
    """A running PostgreSQL server with a migrated warehouse."""

    home: Home
    port: int
    secrets: Secrets

    def url(self, role: str, database: str = database_roles.WAREHOUSE_DATABASE) -> str:
        """Return the URL with which a role connects to a database."""
        return postgres.url(self.port, self.secrets, role=role, database=database)

    def engine(self, role: str) -> Engine:
        """Return an engine that connects to the warehouse as a role."""
        return create_engine(self.url(role), poolclass=NullPool)

    @contextmanager
    def warehouse(self, role: str = database_roles.PIPELINE) -> Iterator[Connection]:
        """Yield a connection to the warehouse in a transaction, committed at the end."""
        with self.engine(role).begin() as connection:
            yield connection

    @contextmanager
    def tampering(self) -> Iterator[Connection]:
        """Yield a superuser's connection without triggers and foreign keys; roll its changes back at the end."""
        with self.unrestricted() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def unrestricted(self, **options: Any) -> Iterator[Connection]:
        """Yield a superuser's connection without triggers and foreign keys; commit its changes at the end.

        `options` are passed to the engine.
        """
        login = f"{postgres.SUPERUSER}:{self.secrets.superuser}"
        url = f"postgresql+psycopg2://{login}@{LOOPBACK}:{self.port}/{database_roles.WAREHOUSE_DATABASE}"
        with create_engine(url, poolclass=NullPool, **options).connect() as connection:
            # PostgreSQL fires no triggers and checks no foreign keys in a replication session.
            connection.exec_driver_sql("SET session_replication_role = replica")
            yield connection
            connection.commit()


@contextmanager
def running_databases(folder: Path) -> Iterator[Databases]:
    """Run a PostgreSQL server with its data in `folder` until the block ends."""
    home = Home.at(folder)
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets)
    [port] = free_ports(1)
    with (home.logs / "postgres.log").open("wb") as log:
        server = subprocess.Popen(postgres.command_line(home, port), stdout=log, stderr=log)
    try:
        postgres.wait_until_ready(port, secrets)
        postgres.create_databases(port, secrets)
        databases = Databases(home, port, secrets)
        migrate(scripts=WAREHOUSE_MIGRATIONS, url=databases.url(database_roles.WAREHOUSE_OWNER))
        yield databases
    finally:
        server.terminate()
        server.wait(30)
