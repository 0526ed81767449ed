"""Retention in the warehouse: removal of old bodies that only superseded captures use."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from pipeline.records.warehouse_engine import Transaction

_BATCH = 20_000
_ALLOW_MORE_TIME = text("SET LOCAL statement_timeout = '15min'")
"""Allows more time for the next statement, which looks at all captures. The usual limit would be too short."""
_PRUNABLE = text("SELECT count(*) AS bodies, coalesce(sum(size), 0) AS bytes FROM prunable_bodies(:cutoff)")
_PRUNE = text("SELECT bodies, bytes FROM prune_bodies(:cutoff, :most, :run_id)")


@dataclass(frozen=True)
class PrunedBodies:
    """Bodies that are or can be removed: their number and their size in bytes, before the database compresses them."""

    count: int
    bytes: int


def cutoff(days: int) -> datetime:
    """Return the time `days` days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def prunable_bodies(connection: Connection, older_than: datetime) -> PrunedBodies:
    """Return what `prune_bodies` would remove."""
    row = connection.execute(_PRUNABLE, {"cutoff": older_than}).one()
    return PrunedBodies(row.bodies, int(row.bytes))


def prune_bodies(transaction: Transaction, older_than: datetime, *, run_id: str) -> PrunedBodies:
    """Remove the bodies that only captures older than `older_than` use and that nothing else needs. Keep their hashes.

    Other runs cannot store captures while a transaction removes bodies. So each transaction removes a limited number.
    """
    total = PrunedBodies(0, 0)
    while True:
        with transaction() as connection:
            connection.execute(_ALLOW_MORE_TIME)
            row = connection.execute(_PRUNE, {"cutoff": older_than, "most": _BATCH, "run_id": run_id}).one()
        total = PrunedBodies(total.count + row.bodies, total.bytes + int(row.bytes))
        if row.bodies < _BATCH:
            return total
