"""Converts stored HTTP headers, in any of their formats, to headers of a WARC record."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

Headers = list[tuple[str, str]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_TRANSFER_HEADERS = ("content-encoding", "transfer-encoding", "content-length")
ORIGINAL = "X-Archive-Orig-"


def header_pairs(kept: Any) -> Headers:
    """Return stored headers as pairs of name and value.

    Stored formats are [[name, value], …], [{"name": …, "value": …}, …] and {name: value}, where DevTools joins the
    values of a repeated header with line ends. Names that HTTP does not allow are dropped and control characters in
    values become spaces, because they would make the file invalid.
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


def headers_for_body(kept: Any, body: bytes | None) -> Headers:
    """Return the headers of a response. `body` is the stored, decoded body of the response; None if it is not stored.

    Headers that describe the body as it was transferred get the prefix X-Archive-Orig-. Content-Length is computed for
    `body`.
    """
    pairs = [
        (f"{ORIGINAL}{name}" if name.lower() in _TRANSFER_HEADERS else name, value)
        for name, value in header_pairs(kept)
    ]
    return pairs if body is None else [*pairs, ("Content-Length", str(len(body)))]


def status_line(status_code: int) -> str:
    """Return the status line for a code, with the code's standard phrase, because HTTP/2 sends no phrase."""
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)
