"""Migrates this project's databases, in their owners' roles."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from stack.databases import OwnedDatabase
from stack.stack_error import StackError
from warehouse.schema.alembic_runner import migrate
from warehouse.schema.revision_check import revisions


def migrate_all(databases: Iterable[OwnedDatabase]) -> dict[str, tuple[str | None, str]]:
    """Migrate databases to the newest revision, except Dagster's database, which Dagster migrates itself.

    Returns the revisions before and after the migration, by database name. The revision before is None for a new
    database. Raises StackError if a migration fails, or if a database is newer than this code: migrations never go
    backwards.
    """
    migrated: dict[str, tuple[str | None, str]] = {}
    for database in databases:
        if database.scripts is None:
            continue
        known, before = revisions(database.scripts), _revision(database)
        if before is not None and before not in known:
            raise StackError(
                f"database {database.name} is at revision {before}; the newest that this version knows is {known[-1]}."
                " Migrations never go backwards: run the newer version, or restore an earlier backup"
            )
        try:
            migrate(scripts=database.scripts, url=database.url)
        except Exception as error:
            raise StackError(f"the migration of database {database.name} failed: {error}") from error
        migrated[database.name] = (before, known[-1])
    return migrated


def _revision(database: OwnedDatabase) -> str | None:
    try:
        with database.engine().connect() as connection:
            if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
                return None
            revision: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    except OperationalError as error:
        raise StackError(f"database {database.name} cannot be reached: {error.orig}") from error
    return revision


def summary(migrated: dict[str, tuple[str | None, str]]) -> str:
    """Return one line for each database, with its revision."""
    return "\n".join(
        f"{name}: at revision {after}" + ("" if before == after else f", was at {before or 'none'}")
        for name, (before, after) in migrated.items()
    )
