"""A PostgreSQL server with the platform's databases and roles, for tests that do not need the rest."""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from stack import postgres
from stack.databases import MIGRATIONS
from stack.home import Home
from stack.ports import LOOPBACK, free_ports
from stack.secrets import Secrets, load_or_create
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate

FAST = tuple(
    part
    for setting in ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "scram_iterations=1")
    for part in ("-c", setting)
)
"""Options of a server whose data no test needs after a crash of the machine, and where tests sign in often."""


@dataclass(frozen=True)
class Databases:
    """A running PostgreSQL server with a migrated warehouse."""

    home: Home
    port: int
    secrets: Secrets
    names: Mapping[str, str] = field(default_factory=dict)
    """The real names of databases that are copies, by the name that they stand for."""

    def url(self, role: str, database: str = database_roles.WAREHOUSE_DATABASE) -> str:
        """Return the URL with which a role connects to a database."""
        return postgres.url(self.port, self.secrets, role=role, database=self.names.get(database, database))

    def engine(self, role: str) -> Engine:
        """Return an engine that connects to the warehouse as a role."""
        return _engine(self.url(role))

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
        name = self.names.get(database_roles.WAREHOUSE_DATABASE, database_roles.WAREHOUSE_DATABASE)
        with self._superuser(name, **options) as connection:
            # PostgreSQL fires no triggers and checks no foreign keys in a replication session.
            connection.exec_driver_sql("SET session_replication_role = replica")
            yield connection
            connection.commit()

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator["Databases"]:
        """Yield an empty warehouse and an empty database `users` on the same server; drop them at the end.

        They have the newest schema, or no table at all if `migrated` is false. Dagster's database stays the same.
        """
        suffix = uuid4().hex[:8]
        names = {database: f"{database}_{suffix}" for database in MIGRATIONS}
        with self._superuser("postgres", isolation_level="AUTOCOMMIT") as administrator:
            if migrated:
                self._create_templates(administrator)
            for database, name in names.items():
                template = _template(database) if migrated else "template0"
                _create(administrator, name, template=template, stands_for=database)
        try:
            yield replace(self, names=names)
        finally:
            with self._superuser("postgres", isolation_level="AUTOCOMMIT") as administrator:
                for name in names.values():
                    administrator.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _create_templates(self, administrator: Connection) -> None:
        """Create databases with the newest schema, unless they exist. Nothing else connects to them."""
        for database, scripts in MIGRATIONS.items():
            name = _template(database)
            found = administrator.scalar(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
            )
            if not found:
                _create(administrator, name, template="template0", stands_for=database)
                owner = database_roles.OWNERS[database]
                migrate(
                    scripts=scripts,
                    url=postgres.url(self.port, self.secrets, role=owner, database=name),
                )

    @contextmanager
    def _superuser(self, database: str, **options: Any) -> Iterator[Connection]:
        login = f"{postgres.SUPERUSER}:{self.secrets.superuser}"
        url = f"postgresql+psycopg2://{login}@{LOOPBACK}:{self.port}/{database}"
        with create_engine(url, poolclass=NullPool, **options).connect() as connection:
            yield connection


@cache
def _engine(url: str) -> Engine:
    """Return the engine for a URL, always the same one, because a new engine compiles each statement again."""
    return create_engine(url, poolclass=NullPool)


def _template(database: str) -> str:
    return f"template_{database}"


def _create(administrator: Connection, name: str, *, template: str, stands_for: str) -> None:
    """Create a database with the privileges of the one that it stands for."""
    owner = database_roles.OWNERS[stands_for]
    administrator.exec_driver_sql(f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE "{template}"')
    administrator.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    for role in database_roles.CONNECTS[stands_for]:
        administrator.exec_driver_sql(f'GRANT CONNECT ON DATABASE "{name}" TO "{role}"')


@contextmanager
def running_databases(folder: Path, *, durable: bool = False) -> Iterator[Databases]:
    """Run a PostgreSQL server with its data in `folder` until the block ends.

    Args:
        folder: The home of the server.
        durable: Whether commits reach the disk, as on a platform; benchmarks need that.
    """
    home = Home.at(folder)
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets, durable=durable)
    [port] = free_ports(1)
    command = [*postgres.command_line(home, port), *(() if durable else FAST)]
    with (home.logs / "postgres.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        postgres.wait_until_ready(port, secrets)
        postgres.create_databases(port, secrets)
        databases = Databases(home, port, secrets)
        warehouse = database_roles.WAREHOUSE_DATABASE
        migrate(scripts=MIGRATIONS[warehouse], url=databases.url(database_roles.WAREHOUSE_OWNER))
        yield databases
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: it closes connections that a test has left open
        server.wait(60)
