"""How much of a pool of connections is in use."""

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.metrics.own import own_metrics


def watch_pool(engine: AsyncEngine, database: str, *, most: int) -> None:
    """Count the connections of an engine that are in use."""
    used = own_metrics().pool_used.labels(database)
    own_metrics().pool_most.labels(database).set(most)

    def taken(*_: object) -> None:
        used.inc()

    def given_back(*_: object) -> None:
        used.dec()

    event.listen(engine.sync_engine, "checkout", taken)
    event.listen(engine.sync_engine, "checkin", given_back)
