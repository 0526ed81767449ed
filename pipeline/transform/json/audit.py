"""An audit of the keys in the source's JSON objects: each key is read, deliberately ignored, or reported as unknown."""

from collections.abc import Iterable, Mapping
from typing import Any

_SURROGATE = "the row number in the source's database; it changes whenever the source imports its data again"
_WHOLE = "several values joined to one text; each of them is read from a key of its own"
IGNORED: Mapping[str, Mapping[str, str]] = {
    "companies": {
        "_id": _SURROGATE,
        "id": "the IDNO again",
        "revisionDate": "the day on which the source imported its data; the same for all companies",
    },
    "parties": {
        "_id": _SURROGATE,
        "sameNameCount": "how many persons or companies have the same name; not a fact of this company",
        "type": "whether a founder is a person or a company; known from the list that contains the founder",
    },
    "address": {
        "_id": _SURROGATE,
        "id": "a hash of the address",
        "hash": _WHOLE,
    },
    "cuatm": {
        "_id": _SURROGATE,
        "id": "the first digits of the statistical code, which is read",
    },
    "activities": {"_id": _SURROGATE},
    "fin-data": {
        "_id": _SURROGATE,
        "name": "the company's name on the filed form; the current name is in another payload",
        "organizationName": "always 'undefined'",
    },
}
"""For each kind of JSON object, the keys in it that are deliberately not read, each with the reason."""


class KeyAudit:
    """Returns the values of one JSON object from the source, and tracks which of its keys were not read."""

    def __init__(self, content: Mapping[str, Any], *, kind: str, path: str) -> None:
        """Create the audit of one JSON object; no key of it has been read yet.

        Args:
            content: The JSON object.
            kind: The kind of the object, for example "parties"; selects the entry of IGNORED that applies.
            path: Where the object is in its payload. An unknown key is reported as `{path}.{key}`.
        """
        self._left = dict(content)
        self._ignored = IGNORED[kind]
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def path_of(self, key: str) -> str:
        """Return where a key is in the payload."""
        return f"{self._path}.{key}"

    def take(self, key: str) -> Any:
        """Mark a key as read and return its value; None if the object does not have the key."""
        return self._left.pop(key, None)

    def take_all(self, keys: Iterable[str]) -> None:
        """Mark keys as read."""
        for key in keys:
            self._left.pop(key, None)

    def unknown(self) -> list[str]:
        """Return the paths of the keys that are neither read nor ignored."""
        return [self.path_of(key) for key in self._left if key not in self._ignored]
