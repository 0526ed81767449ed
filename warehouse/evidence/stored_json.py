"""Normalizes values to what PostgreSQL returns. So a row has the same hash before and after it is stored."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

from pydantic import BeforeValidator

_REPLACEMENT = "\ufffd"


def as_text(value: str) -> str:
    """Return text that PostgreSQL can store: NUL and unpaired surrogates become U+FFFD."""
    return value.replace("\x00", _REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_json(value: Any) -> Any:
    """Return a JSON value as JSONB returns it. Raises ValueError for a value that JSON cannot represent."""
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, float):
        return _as_number(value)
    if isinstance(value, Mapping):
        return {as_text(str(key)): as_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    raise ValueError(f"JSON cannot represent a {type(value).__name__}")


def _as_number(value: float) -> int | float:
    exact = Decimal(repr(value))
    if not exact.is_finite():
        raise ValueError(f"JSON cannot represent the number {value}")
    # JSONB stores numbers as decimals without an exponent: it returns 1e22 as an integer, and -0.0 without its sign.
    if exact == exact.to_integral_value():
        return int(exact)
    return value


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of a value: keys sorted by code point, no spaces, UTF-8."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


Json = Annotated[Any, BeforeValidator(as_json)]
StoredText = Annotated[
    str, BeforeValidator(lambda value: as_text(value) if isinstance(value, str) else value)
]
