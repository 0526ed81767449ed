"""The three databases as their owners reach them: of a home, or named in the environment (containers, RDS)."""

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
from stack.home import Home, Running, is_locked, locked
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
"""In the order in which one leads to another: a request to a run, a run to a capture."""
MIGRATIONS: Mapping[str, Path] = {
    database_roles.USERS_DATABASE: api_migrations.SCRIPTS,
    database_roles.WAREHOUSE_DATABASE: WAREHOUSE_MIGRATIONS,
}
"""Our own migrations; Dagster has its own."""
SETTINGS = {
    database_roles.USERS_DATABASE: "REGISTRU_USERS_OWNER_URL",
    database_roles.DAGSTER_DATABASE: "REGISTRU_DAGSTER_DATABASE_URL",
    database_roles.WAREHOUSE_DATABASE: "REGISTRU_WAREHOUSE_OWNER_URL",
}
_STOPPING_SECONDS = 60


@dataclass(frozen=True)
class OwnedDatabase:
    """A database with the URL by which its owner reaches it, password and all."""

    name: str
    url: str = field(repr=False)

    @property
    def scripts(self) -> Path | None:
        """Where our migrations of it are; None for Dagster's."""
        return MIGRATIONS.get(self.name)

    def engine(self) -> Engine:
        """Return an engine without a pool, in the owner's role."""
        return create_engine(self.url, poolclass=NullPool, hide_parameters=True)


def of_server(port: int, secrets: Secrets) -> tuple[OwnedDatabase, ...]:
    """Return the databases of the embedded server on a port."""
    return tuple(
        OwnedDatabase(name, postgres.url(port, secrets, role=database_roles.OWNERS[name], database=name))
        for name in DATABASES
    )


def of_environment(names: tuple[str, ...] = DATABASES) -> tuple[OwnedDatabase, ...]:
    """Return the databases that the environment names. Raises StackError naming the setting that is missing."""
    return tuple(OwnedDatabase(name, _url_of(SETTINGS[name])) for name in names)


def _url_of(setting: str) -> str:
    value = os.environ.get(setting)
    if not value:
        raise StackError(f"{setting} is not set: the URL by which that database's owner reaches it")
    try:
        url = make_url(value)
    except ArgumentError:
        raise StackError(f"{setting} is no URL; it has to be postgresql+psycopg2://…") from None
    # SQLAlchemy 2.1 takes a plain postgresql:// for psycopg 3.
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


@contextlib.contextmanager
def served(home: Home) -> Iterator[tuple[OwnedDatabase, ...]]:
    """Yield a home's databases: those of the platform that runs there, else PostgreSQL is started for this alone."""
    secrets = load_or_create(home.secrets)
    if is_locked(home) and home.state.exists():
        yield of_server(Running.of(home).ports["postgres"], secrets)
        return
    if not (home.postgres / "PG_VERSION").exists():
        raise StackError(f"{home.path} holds no databases; name another folder with --home")
    with locked(home):
        orphan_processes.end_leftovers(home)
        with postgres_alone(home, secrets, mark=home) as databases:
            yield databases


@contextlib.contextmanager
def postgres_alone(home: Home, secrets: Secrets, *, mark: Home) -> Iterator[tuple[OwnedDatabase, ...]]:
    """Run PostgreSQL on a home's data and nothing else. `mark`: the home that finds it if this process is killed."""
    [port] = free_ports(1)
    with (home.logs / "postgres.log").open("ab") as log:
        server = subprocess.Popen(
            postgres.command_line(home, port),
            env=common_environment(mark),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for the command, which then stops it in order
        )
    try:
        postgres.wait_until_ready(port, secrets)
        postgres.create_databases(port, secrets)
        yield of_server(port, secrets)
    finally:
        server.terminate()
        try:
            server.wait(_STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
