"""PostgreSQL's advisory locks: what each number means, and the lock of a company's record.

A number has a meaning only within one database, so two databases may use the same one. All locks are held until the
transaction ends.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

MIGRATION_LOCK = 7_267_267
"""In each database: only one process at a time migrates it."""
OPEN_SWEEP_LOCK = 7_267_268
"""In the warehouse: one run at a time opens a sweep."""
ACCOUNT_RETENTION_LOCK = 7_267_268
"""In the users database: one API process at a time applies the retention."""

_LOCK_COMPANIES = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(idno, 0)) FROM unnest(CAST(:idnos AS text[])) AS each (idno)"
)


def lock_companies(connection: Connection, idnos: Iterable[str]) -> None:
    """Wait for the locks of these companies' records and hold them until the transaction ends.

    Before a transaction writes a record, it takes the lock of that record. The locks are taken in the order of the
    IDNOs, so that two writers cannot deadlock.
    """
    connection.execute(_LOCK_COMPANIES, {"idnos": sorted(idnos)})
