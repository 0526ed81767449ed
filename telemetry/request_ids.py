"""The id of a request, by which all that came of it is found in the logs: the client's own, or one that is made."""

import re
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

HEADER = "X-Request-ID"
LONGEST = 64

_FIT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}", re.ASCII)
_current: ContextVar[str | None] = ContextVar("request_id", default=None)
_own, _numbers = token_hex(8), count(1)


def begin(given: str | None) -> str:
    """Have what follows belong to a request; return its id: the one that was given, if it may be one.

    What a client sends goes into log lines and tags: letters, digits, `.`, `_` and `-`, 64 at most.
    """
    request_id = given if given is not None and _FIT.fullmatch(given) else f"{_own}-{next(_numbers):x}"
    _current.set(request_id)
    return request_id


def current() -> str | None:
    """Return the id of the request that is being worked at, None outside of any."""
    return _current.get()
