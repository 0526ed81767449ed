"""Times as query parameters: a date, or a time with a time zone. No other format is accepted."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
# The + of a time zone arrives as a space if the client did not percent-encode it.
_ZONE = r"(Z|[-+ ][0-9]{2}:[0-9]{2})"
_MOMENT = f"{_DAY}({_CLOCK}{_ZONE})?"
_ALLOWED = "must be a date (2026-09-01) or a time with a time zone (2026-09-01T12:00:00Z)"
_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_MOMENT}$", "examples": ["2026-09-01"]})


def past_moment(text: str) -> datetime:
    """Parse a date or a time. Raises ValueError if the text is invalid or names a time in the future.

    A date means the end of that day in UTC; today's date means now.
    """
    now = datetime.now(UTC)
    moment = _parse(text, time.max)
    if moment > now and text == now.date().isoformat():
        return now
    if moment > now:
        raise ValueError(f"is in the future; it {_ALLOWED}, not later than now")
    return moment


def moment(text: str) -> datetime:
    """Parse a date or a time; a date means the start of that day in UTC. Raises ValueError."""
    return _parse(text, time.min)


def _parse(text: str, time_of_day: time) -> datetime:
    if not re.fullmatch(_MOMENT, text):
        raise ValueError(_ALLOWED)
    try:
        if "T" not in text:
            return datetime.combine(date.fromisoformat(text), time_of_day, UTC)
        return datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, or a time before year 1 in UTC
        raise ValueError(f"does not exist; it {_ALLOWED}") from None


PastMoment = Annotated[datetime, BeforeValidator(past_moment), _SCHEMA]
Moment = Annotated[datetime, BeforeValidator(moment), _SCHEMA]
