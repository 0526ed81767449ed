"""Has connections of Dagster's pools looked at before they are used again: the database may have been restarted."""

import time
from typing import Any

_RESTED_SECONDS = 1.0
"""Looking costs a round trip; one that was in use a moment ago is not looked at."""


def watch(pool: Any) -> None:
    """Watch an engine's pool, or with SQLAlchemy's class `Pool` those of all engines."""
    from sqlalchemy import event

    event.listen(pool, "checkin", _note_use)
    event.listen(pool, "checkout", _look_at_idle_connection)


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _look_at_idle_connection(connection: Any, record: Any, _: Any) -> None:
    """Have a connection made anew that did not outlive its rest."""
    from sqlalchemy.exc import DisconnectionError

    if time.monotonic() - record.info.get("used", time.monotonic()) < _RESTED_SECONDS:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        raise DisconnectionError from error
