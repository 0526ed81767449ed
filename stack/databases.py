"""The three databases, opened in their owners' roles. They belong to a home or are external (containers, RDS)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from api import migrations as api_migrations
from stack import orphan_processes, postgres
from stack.home import Home, RunningPlatform, is_locked, locked
from stack.ports import free_ports
from stack.processes import common_environment
from stack.secrets import Secrets, load_or_create
from stack.stack_error import StackError
from warehouse.schema import database_roles
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS

DATABASES = (
    database_roles.USERS_DATABASE,
    database_roles.DAGSTER_DATABASE,
    database_roles.WAREHOUSE_DATABASE,
)
"""In the order of references: a request (users) names a run (dagster), and a run creates captures (warehouse)."""
MIGRATIONS: Mapping[str, Path] = {
    database_roles.USERS_DATABASE: api_migrations.SCRIPTS,
    database_roles.WAREHOUSE_DATABASE: WAREHOUSE_MIGRATIONS,
}
"""The folders of this project's migrations. Dagster migrates its own database."""
SETTINGS = {
    database_roles.USERS_DATABASE: "REGISTRU_USERS_OWNER_URL",
    database_roles.DAGSTER_DATABASE: "REGISTRU_DAGSTER_DATABASE_URL",
    database_roles.WAREHOUSE_DATABASE: "REGISTRU_WAREHOUSE_OWNER_URL",
}
_STOPPING_SECONDS = 60


@dataclass(frozen=True)
class OwnedDatabase:
    """A database with its owner's URL, which includes the password."""

    name: str
    url: str = field(repr=False)

    @property
    def scripts(self) -> Path | None:
        """The folder of the database's migrations; None for Dagster's database."""
        return MIGRATIONS.get(self.name)

    def engine(self) -> Engine:
        """Return an engine without a connection pool, in the owner's role."""
        return create_engine(self.url, poolclass=NullPool, hide_parameters=True)


def server_databases(port: int, secrets: Secrets) -> tuple[OwnedDatabase, ...]:
    """Return the databases of the embedded server that listens on `port`."""
    return tuple(
        OwnedDatabase(name, postgres.url(port, secrets, role=database_roles.OWNERS[name], database=name))
        for name in DATABASES
    )


def databases_from_environment(names: tuple[str, ...] = DATABASES) -> tuple[OwnedDatabase, ...]:
    """Return the databases `names`. Their URLs come from the environment variables that `SETTINGS` lists.

    Raises StackError if a variable is missing or malformed. The message names the variable.
    """
    return tuple(OwnedDatabase(name, _url_of(SETTINGS[name])) for name in names)


def _url_of(setting: str) -> str:
    value = os.environ.get(setting)
    if not value:
        raise StackError(f"{setting} is not set; it has to be the database's URL in its owner's role")
    try:
        url = make_url(value)
    except ArgumentError:
        raise StackError(f"{setting} is malformed; it has to be a URL like postgresql+psycopg2://…") from None
    # SQLAlchemy 2.1 selects psycopg 3 for a plain postgresql://.
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


@contextlib.contextmanager
def open_databases(home: Home) -> Iterator[tuple[OwnedDatabase, ...]]:
    """Yield a home's databases. If no platform runs there, run PostgreSQL alone until the context ends.

    Raises StackError if the home has no databases yet, or another command uses it.
    """
    secrets = load_or_create(home.secrets)
    if is_locked(home) and home.state.exists():
        yield server_databases(RunningPlatform.of(home).ports["postgres"], secrets)
        return
    if not (home.postgres / "PG_VERSION").exists():
        raise StackError(f"{home.path} holds no databases; choose another folder with --home")
    with locked(home):
        orphan_processes.terminate_orphans(home)
        with postgres_alone(home, secrets, mark=home) as databases:
            yield databases


@contextlib.contextmanager
def postgres_alone(home: Home, secrets: Secrets, *, mark: Home) -> Iterator[tuple[OwnedDatabase, ...]]:
    """Run PostgreSQL on a home's data, without the rest of the platform.

    If this process is killed, PostgreSQL keeps running. Therefore the path of `mark` is put into PostgreSQL's
    environment: the next command that uses the home `mark` recognizes PostgreSQL by this path and terminates it.
    """
    [port] = free_ports(1)
    with (home.logs / "postgres.log").open("ab") as log:
        server = subprocess.Popen(
            postgres.command_line(home, port),
            env=common_environment(mark),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches only the command, which then stops PostgreSQL cleanly
        )
    try:
        postgres.wait_until_ready(port, secrets)
        postgres.create_databases(port, secrets)
        yield server_databases(port, secrets)
    finally:
        server.terminate()
        try:
            server.wait(_STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
