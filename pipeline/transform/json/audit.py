"""The audit of what the source's JSON holds: every key is read, known and left alone on purpose, or reported."""

from collections.abc import Iterable, Mapping
from typing import Any

_SURROGATE = "the source's number of its own row, another one with each of its imports"
_WHOLE = "another writing of what is read from the other keys"
IGNORED: Mapping[str, Mapping[str, str]] = {
    "companies": {
        "_id": _SURROGATE,
        "id": "the IDNO again",
        "revisionDate": "the day of the source's import, the same for all companies",
    },
    "parties": {
        "_id": _SURROGATE,
        "sameNameCount": "how many others bear the name: nothing of this company",
        "type": "of a founder: person or company, which the list says",
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
        "name": "the company's name as it stood on the form",
        "organizationName": "always 'undefined'",
    },
}
"""By kind of object: the keys that are not read, and why."""


class KeyAudit:
    """Takes what is read out of an object of the source, and tells what is left."""

    def __init__(self, content: Mapping[str, Any], *, kind: str, path: str) -> None:
        """`kind` is the object's in IGNORED, `path` what its keys are reported under."""
        self._left = dict(content)
        self._ignored = IGNORED[kind]
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str) -> Any:
        """Return the value of a key, None if there is none."""
        return self._left.pop(key, None)

    def take_all(self, keys: Iterable[str]) -> None:
        """Count keys as read."""
        for key in keys:
            self._left.pop(key, None)

    def unknown(self) -> list[str]:
        """Return the keys that nobody has read and nobody knows."""
        return [f"{self._path}.{key}" for key in self._left if key not in self._ignored]
