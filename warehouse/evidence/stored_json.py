"""JSON as the database gives it back, so that what is hashed before a row is written can be hashed after it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

from pydantic import BeforeValidator

_REPLACEMENT = "\ufffd"


def as_text(value: str) -> str:
    """Return text as PostgreSQL can hold it: neither NUL nor half of a surrogate pair, U+FFFD in their place."""
    return value.replace("\x00", _REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_json(value: Any) -> Any:
    """Return a JSON value as JSONB gives it back. Raises ValueError for what JSON has no word for."""
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, float):
        return _as_number(value)
    if isinstance(value, Mapping):
        return {as_text(str(key)): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    raise ValueError(f"{type(value).__name__} is nothing that JSON can hold")


def _as_number(value: float) -> int | float:
    exact = Decimal(repr(value))
    if not exact.is_finite():
        raise ValueError(f"{value} is no number of JSON")
    # JSONB holds decimals, without an exponent: 1e22 comes back as the integer it is, -0.0 without its sign.
    if exact == exact.to_integral_value():
        return int(exact)
    return value


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of a JSON value: keys sorted by code point, no spaces, UTF-8."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


Json = Annotated[Any, BeforeValidator(as_json)]
StoredText = Annotated[
    str, BeforeValidator(lambda value: as_text(value) if isinstance(value, str) else value)
]
