"""Metrics of the pools of PostgreSQL connections."""

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.metrics.process_metrics import process_metrics


def measure_pool(engine: AsyncEngine, database: str, *, size: int) -> None:
    """Measure how many connections of an engine's pool are in use; `size` is the pool's size."""
    in_use = process_metrics().pool_in_use.labels(database)
    process_metrics().pool_size.labels(database).set(size)

    # A set, not a counter: a connection that could not be opened is checked in without having been checked out.
    checked_out: set[int] = set()

    def on_checkout(_: object, record: object, __: object) -> None:
        checked_out.add(id(record))
        in_use.set(len(checked_out))

    def on_checkin(_: object, record: object) -> None:
        checked_out.discard(id(record))
        in_use.set(len(checked_out))

    event.listen(engine.sync_engine, "checkout", on_checkout)
    event.listen(engine.sync_engine, "checkin", on_checkin)
