"""The result of reading a text with the grammar of a field: a value with remarks, or the reason why there is none."""

from dataclasses import dataclass
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Parsed(Generic[_Value]):
    """What the whole text in the place of a field's value means.

    Attributes:
        value: The value. None if the text is not understood, or if it is understood but states no value.
        remarks: The parts of the text that are understood and are not the value, as written.
        reason: Why the text is unread; None if the grammar consumed all of it.
    """

    value: _Value | None = None
    remarks: tuple[str, ...] = ()
    reason: str | None = None


def unread(reason: str, remarks: tuple[str, ...] = ()) -> Parsed[_Value]:
    """Return the result for a text that is not understood."""
    return Parsed(remarks=remarks, reason=reason)
