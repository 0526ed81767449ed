"""Checks that a database has the schema revision that the running code needs.

Migrations are numbered consecutively (`0001_…`, `0002_…`), so the file names show which revisions the code knows.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

WAREHOUSE_MIGRATIONS = Path(__file__).parent.parent / "migrations"


class SchemaMismatch(RuntimeError):
    """The revision of the database does not fit the code. The message names both revisions and what to do."""


@cache
def revisions(scripts: Path) -> tuple[str, ...]:
    """Return the revisions of the migrations in a folder, oldest first."""
    return tuple(sorted(path.name.partition("_")[0] for path in scripts.glob("versions/[0-9]*_*.py")))


def revision_of(connection: Connection) -> str | None:
    """Return a database's revision. Return None if it was never migrated, or if this role may not read the revision."""
    may_read = connection.scalar(
        text("SELECT has_table_privilege(to_regclass('public.alembic_version'), 'SELECT')")
    )
    if not may_read:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    return revision


def check_schema(
    connection: Connection, *, database: str, scripts: Path = WAREHOUSE_MIGRATIONS, may_be_newer: bool = False
) -> str | None:
    """Check that a database has the newest revision that the code knows.

    An older database is always refused. Processes that only serve data may accept a newer one: during an upgrade, some
    of these processes still run the old version of the code.

    Args:
        connection: A connection to the database.
        database: The name of the database, for messages.
        scripts: The folder of its migrations.
        may_be_newer: Whether a newer database is accepted.

    Returns:
        None if the revisions match, else a warning about the newer database.

    Raises:
        SchemaMismatch: The database is older, or newer and `may_be_newer` is false.
    """
    known, revision = revisions(scripts), revision_of(connection)
    if revision == known[-1]:
        return None
    if revision is None or revision in known:
        raise SchemaMismatch(
            f"the database {database} is at revision {revision or 'unknown'}, this version needs {known[-1]};"
            " run `registru migrate` first"
        )
    warning = (
        f"the database {database} is at revision {revision}, newer than this version knows ({known[-1]})"
    )
    if not may_be_newer:
        raise SchemaMismatch(f"{warning}; run a version that knows that revision")
    return warning
