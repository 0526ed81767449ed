"""Request ids: all log lines and run tags that one HTTP request causes contain the same id.

The client may send its own id; otherwise one is generated.
"""

import re
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

HEADER = "X-Request-ID"
MAX_LENGTH = 64

_VALID_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_LENGTH - 1}}}", re.ASCII)
_current: ContextVar[str | None] = ContextVar("request_id", default=None)
_process_prefix, _numbers = token_hex(8), count(1)


def begin(given: str | None) -> str:
    """Set and return the id of the request that begins in this context: `given` if valid, otherwise a generated id.

    A client's id is written into log lines and tags. It may have at most 64 characters: ASCII letters, digits, `.`,
    `_` and `-`.
    """
    request_id = (
        given if given is not None and _VALID_ID.fullmatch(given) else f"{_process_prefix}-{next(_numbers):x}"
    )
    _current.set(request_id)
    return request_id


def current() -> str | None:
    """Return the id of the current request, or None outside of a request."""
    return _current.get()
