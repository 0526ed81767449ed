"""HTTP headers as they were kept, in whatever form, as lines of a WARC file."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

Headers = list[tuple[str, str]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_OF_THE_WIRE = ("content-encoding", "transfer-encoding", "content-length")
ORIGINAL = "X-Archive-Orig-"


def as_pairs(kept: Any) -> Headers:
    """Return kept headers as names and values.

    They are kept as [[name, value], …], as [{"name": …, "value": …}, …], or as {name: value} with the values of a
    repeated header in lines (as DevTools joins them). A name or value that HTTP does not allow would break the
    file: such a name is left out, line ends become spaces.
    """
    pairs = [
        (name.strip(), _CONTROL.sub(" ", value).strip())
        for name, values in _named(kept)
        for value in values.split("\n")
    ]
    return [(name, value) for name, value in pairs if _TOKEN.fullmatch(name)]


def _named(kept: Any) -> Iterator[tuple[str, str]]:
    if isinstance(kept, Mapping):
        yield from ((str(name), str(value)) for name, value in kept.items())
        return
    for entry in kept or ():
        name, value = (entry.get("name"), entry.get("value")) if isinstance(entry, Mapping) else entry
        yield str(name), str(value)


def of_body(kept: Any, body: bytes | None) -> Headers:
    """Return the headers of a response whose body is held without the codings of the wire (None: not held).

    What described the body on the wire is kept under another name; its length is given anew.
    """
    pairs = [
        (f"{ORIGINAL}{name}" if name.lower() in _OF_THE_WIRE else name, value)
        for name, value in as_pairs(kept)
    ]
    return pairs if body is None else [*pairs, ("Content-Length", str(len(body)))]


def status_line(status_code: int) -> str:
    """Return a status with its usual phrase: HTTP/2 sends none."""
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)
