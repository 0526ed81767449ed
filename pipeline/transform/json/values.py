"""Single values of the source's JSON: what they say, and how they stand there."""

import json
from decimal import Decimal
from typing import Any

from pipeline.transform.source_text import present

_SHOWN = 80


def parse_json(body: bytes) -> Any:
    """Return what a body says, numbers with a point as Decimal; None if it is no JSON."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def is_absent(value: Any) -> bool:
    """Tell whether a value is one of the source's ways to say that there is nothing."""
    return value is None or value in ([], {}) or (isinstance(value, str) and present(value) is None)


def clean(value: Any) -> str | None:
    """Return a text as the source wrote it, without the white space around it; None where it is absent or no text."""
    if not isinstance(value, str) or present(value) is None:
        return None
    return value.replace("\x00", "").strip()


def word(value: Any) -> str | None:
    """Return a text, or a whole number as one: the source writes codes and numbers of houses either way."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else clean(value)


def as_written(value: Any) -> str:
    """Return a value as it stands in the capture: a text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=float)  # a Decimal was a number there


def shown(value: Any) -> str:
    """Return a value for a note: short enough to be read."""
    text = repr(str(value) if isinstance(value, Decimal) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
