"""Helpers that read single values of the source's JSON."""

import json
from decimal import Decimal
from typing import Any

from pipeline.transform.source_text import text_or_none
from pipeline.transform.vocabulary.placeholders import says_no_value


def parse_json(body: bytes) -> Any:
    """Parse a body; return None if it is malformed JSON. Numbers with a decimal point become Decimal."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def is_absent(value: Any) -> bool:
    """Tell whether a value is one of the source's placeholders for "no value"."""
    return value is None or value in ([], {}) or (isinstance(value, str) and says_no_value(value))


def text_of(value: Any) -> str | None:
    """Return a text without surrounding white space; None if the value is absent or not a text."""
    if not isinstance(value, str) or text_or_none(value) is None:
        return None
    return value.replace("\x00", "").strip()


def code_of(value: Any) -> str | None:
    """Return a code or house number as text. The source sends it as a text or as a whole number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(value)


def as_written(value: Any) -> str:
    """Return a value as it is written in the capture: a text unchanged, anything else as JSON."""
    if isinstance(value, str):
        return value
    # `parse_json` made Decimals of the numbers with a decimal point; they are written as numbers again.
    return json.dumps(value, ensure_ascii=False, default=float)
