"""Our migrations of databases that their owners reach."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from stack.databases import OwnedDatabase
from stack.stack_error import StackError
from warehouse.schema.alembic_runner import migrate
from warehouse.schema.revision_check import revisions


def migrate_all(databases: Iterable[OwnedDatabase]) -> dict[str, tuple[str | None, str]]:
    """Bring databases forwards; return from which revision to which. Dagster's own is left to Dagster.

    Raises StackError, for one that is newer than this code too: migrations never go backwards.
    """
    moved: dict[str, tuple[str | None, str]] = {}
    for database in databases:
        if database.scripts is None:
            continue
        known, before = revisions(database.scripts), _revision(database)
        if before is not None and before not in known:
            raise StackError(
                f"the database {database.name} is at revision {before}, newer than this version knows ({known[-1]}):"
                " migrations only go forwards; run the version that it belongs to, or restore an earlier backup"
            )
        try:
            migrate(scripts=database.scripts, url=database.url)
        except Exception as error:
            raise StackError(f"the migrations of the database {database.name} failed: {error}") from error
        moved[database.name] = (before, known[-1])
    return moved


def _revision(database: OwnedDatabase) -> str | None:
    try:
        with database.engine().connect() as connection:
            if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    except OperationalError as error:
        raise StackError(f"the database {database.name} does not answer: {error.orig}") from error
    return found


def told(moved: dict[str, tuple[str | None, str]]) -> str:
    """Return what was migrated, a line a database."""
    return "\n".join(
        f"{name}: at revision {after}" + ("" if before == after else f", was at {before or 'none'}")
        for name, (before, after) in moved.items()
    )
