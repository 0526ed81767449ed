"""Whether a database has the tables that the running code was written for.

Migrations are numbered in one line (`0001_…`, `0002_…`), so their files' names say which a program knows.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

WAREHOUSE_MIGRATIONS = Path(__file__).parent.parent / "migrations"


class SchemaMismatch(RuntimeError):
    """The database and the code do not fit; the message says which is older, and what to do."""


@cache
def revisions(scripts: Path) -> tuple[str, ...]:
    """Return the revisions of the migrations in a folder, the oldest first."""
    return tuple(sorted(path.name.partition("_")[0] for path in scripts.glob("versions/[0-9]*_*.py")))


def revision_of(connection: Connection) -> str | None:
    """Return a database's revision; None where none can be read (never migrated, or before roles might look)."""
    may_look = connection.scalar(
        text("SELECT has_table_privilege(to_regclass('public.alembic_version'), 'SELECT')")
    )
    if not may_look:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM public.alembic_version"))
    return found


def check_schema(
    connection: Connection, *, database: str, scripts: Path = WAREHOUSE_MIGRATIONS, may_be_newer: bool = False
) -> str | None:
    """Raise SchemaMismatch unless a database fits the code; return what is to be said where it is newer but may be.

    What is older is never let pass. What is newer is for those that only serve: while the platform is brought to a new
    version, some of them still are the old one.
    """
    known, held = revisions(scripts), revision_of(connection)
    if held == known[-1]:
        return None
    if held is None or held in known:
        raise SchemaMismatch(
            f"the database {database} is at revision {held or 'none that can be told'}, this version needs"
            f" {known[-1]}: run `registru migrate` first"
        )
    said = f"the database {database} is at revision {held}, newer than this version knows ({known[-1]})"
    if not may_be_newer:
        raise SchemaMismatch(f"{said}: run the version that it belongs to")
    return said
