"""Times as parameters: a day, or a time with its zone. There is no other way to write one."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
# The sign + of a zone arrives as a space where a client did not encode it.
_ZONE = r"(Z|[-+ ][0-9]{2}:[0-9]{2})"
_MOMENT = f"{_DAY}({_CLOCK}{_ZONE})?"
_ALLOWED = "has to be a day (2026-09-01) or a time with its zone (2026-09-01T12:00:00Z)"
_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_MOMENT}$", "examples": ["2026-09-01"]})


def past_moment(text: str) -> datetime:
    """Return the time that `text` says, of a day its end (of today: now). Raises ValueError if it is yet to come."""
    now = datetime.now(UTC)
    moment = _read(text, time.max)
    if moment > now and text == now.date().isoformat():
        return now
    if moment > now:
        raise ValueError(f"lies in the future; it {_ALLOWED}, up to now")
    return moment


def moment(text: str) -> datetime:
    """Return the time that `text` says, of a day its beginning. Raises ValueError."""
    return _read(text, time.min)


def _read(text: str, clock: time) -> datetime:
    if not re.fullmatch(_MOMENT, text):
        raise ValueError(_ALLOWED)
    try:
        if "T" not in text:
            return datetime.combine(date.fromisoformat(text), clock, UTC)
        return datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, or a time that is not in the calendar in UTC
        raise ValueError(f"is no time that there is; it {_ALLOWED}") from None


PastMoment = Annotated[datetime, BeforeValidator(past_moment), _SCHEMA]
Moment = Annotated[datetime, BeforeValidator(moment), _SCHEMA]
