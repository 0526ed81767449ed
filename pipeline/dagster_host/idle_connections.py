"""Tests idle connections of Dagster's pools before they are used, because the database may have been restarted."""

import time
from typing import Any

_IDLE_SECONDS = 1.0
"""A test costs a round trip, so a connection that was in use a moment ago is not tested."""


def watch(pool: Any) -> None:
    """Test the idle connections of an engine's pool, or, given SQLAlchemy's class `Pool`, those of all pools."""
    from sqlalchemy import event

    event.listen(pool, "checkin", _store_use)
    event.listen(pool, "checkout", _test_connection)


def _store_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _test_connection(connection: Any, record: Any, _: Any) -> None:
    """Make the pool replace a connection that no longer works. Raises DisconnectionError."""
    from sqlalchemy.exc import DisconnectionError

    if time.monotonic() - record.info.get("used", time.monotonic()) < _IDLE_SECONDS:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # of whichever driver the pool uses
        raise DisconnectionError from error
