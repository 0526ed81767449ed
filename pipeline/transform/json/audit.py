"""An audit of the keys in the source's JSON: each key is read, deliberately ignored, or reported as unknown."""

from collections.abc import Iterable, Mapping
from typing import Any

_SURROGATE = "the source's row number; it changes with each of its imports"
_WHOLE = "a combination of values that are read from other keys"
IGNORED: Mapping[str, Mapping[str, str]] = {
    "companies": {
        "_id": _SURROGATE,
        "id": "the IDNO again",
        "revisionDate": "the day of the source's import, the same for all companies",
    },
    "parties": {
        "_id": _SURROGATE,
        "sameNameCount": "how many others have the same name; not a fact of this company",
        "type": "of a founder: person or company; the list that it is in tells this already",
    },
    "address": {
        "_id": _SURROGATE,
        "id": "a hash of the address",
        "hash": _WHOLE,
    },
    "cuatm": {
        "_id": _SURROGATE,
        "id": "the beginning of the statistical code",
    },
    "activities": {"_id": _SURROGATE},
    "fin-data": {
        "_id": _SURROGATE,
        "name": "the company's name as it was on the form",
        "organizationName": "always 'undefined'",
    },
}
"""For each kind of object, the keys that are deliberately not read, with the reason."""


class KeyAudit:
    """Hands out the values of an object from the source and tracks which keys were not read."""

    def __init__(self, content: Mapping[str, Any], *, kind: str, path: str) -> None:
        """Start with all keys of `content` unread.

        Args:
            content: The object.
            kind: Its kind, a key of IGNORED.
            path: The prefix under which its unknown keys are reported.
        """
        self._left = dict(content)
        self._ignored = IGNORED[kind]
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str) -> Any:
        """Mark a key as read and return its value; None if the object does not have it."""
        return self._left.pop(key, None)

    def take_all(self, keys: Iterable[str]) -> None:
        """Mark keys as read."""
        for key in keys:
            self._left.pop(key, None)

    def unknown(self) -> list[str]:
        """Return the paths of the keys that are neither read nor ignored."""
        return [f"{self._path}.{key}" for key in self._left if key not in self._ignored]
