"""How much of a pool of connections is in use."""

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.metrics.process_metrics import process_metrics


def watch_pool(engine: AsyncEngine, database: str, *, most: int) -> None:
    """Count the connections of an engine that are in use."""
    used = process_metrics().pool_used.labels(database)
    process_metrics().pool_most.labels(database).set(most)

    held: set[int] = set()  # a connection that could not be made is given back without having been taken

    def taken(_: object, record: object, __: object) -> None:
        held.add(id(record))
        used.set(len(held))

    def given_back(_: object, record: object) -> None:
        held.discard(id(record))
        used.set(len(held))

    event.listen(engine.sync_engine, "checkout", taken)
    event.listen(engine.sync_engine, "checkin", given_back)
