"""Tests connections that were idle in Dagster's pools, because a restart of the database breaks idle connections."""

import time
from typing import Any

_IDLE_SECONDS = 1.0
"""A connection is tested only after it was idle for this long, because a test costs a round trip."""


def watch(pool: Any) -> None:
    """Test idle connections before each use.

    `pool` is an engine, whose connections are tested, or SQLAlchemy's class `Pool`, for the connections of all pools.
    """
    from sqlalchemy import event

    event.listen(pool, "checkin", _store_use)
    event.listen(pool, "checkout", _test_connection)


def _store_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _test_connection(connection: Any, record: Any, _: Any) -> None:
    """Test an idle connection.

    Raises DisconnectionError if the connection no longer works. This error makes the pool replace the connection.
    """
    from sqlalchemy.exc import DisconnectionError

    if time.monotonic() - record.info.get("used", time.monotonic()) < _IDLE_SECONDS:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # the type of the error depends on the pool's database driver
        raise DisconnectionError from error
