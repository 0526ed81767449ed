"""Log lines: text for people, or an object a line for programs; each with the request and the run that it belongs to.

Whoever logs names what a line is about in `extra`: `logger.info("visited", extra={"idno": idno})`. All of that is in
the line, in either form.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from telemetry import request_ids, traces
from telemetry.settings import LogFormat

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
"""What every record has; the rest came with `extra`."""
_TALKATIVE = ("httpx", "httpcore", "websocket")
"""Libraries with a line for each request or connection that we make."""

_process: dict[str, Any] = {}


def bind(**fields: Any) -> None:
    """Have every further line of this process carry these fields (its service, its run)."""
    _process.update({name: value for name, value in fields.items() if value is not None})


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record is about: what this process is bound to, the request, and what came with the line."""
    fields = dict(_process)
    if (request_id := request_ids.current()) is not None:
        fields["request_id"] = request_id
    if (trace_id := traces.trace_id()) is not None:
        fields["trace_id"] = trace_id
    fields |= {name: value for name, value in vars(record).items() if name not in _OWN}
    return {name: value for name, value in fields.items() if value is not None}


class JsonFormatter(logging.Formatter):
    """An object a line: time, level, logger, message, then what the line is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        # ASCII alone: half of a surrogate pair, or a line separator of Unicode, would break the line.
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """A line for people, what it is about behind it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as text; what came from elsewhere cannot begin a line of its own."""
        about = " ".join(f"{name}={_word(value)}" for name, value in fields_of(record).items())
        head, *rest = super().format(record).split("\n")
        return "\n".join([f"{head}  [{about}]" if about else head, *(f"  {line}" for line in rest)])


def _word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)


def formatter(log_format: LogFormat) -> logging.Formatter:
    """Return what writes lines in a format."""
    return JsonFormatter() if log_format is LogFormat.JSON else TextFormatter()


def set_up(log_format: LogFormat, *, service: str) -> None:
    """Have all of this process's lines written to standard error, uvicorn's included; its own handlers go."""
    bind(service=service)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the API has lines of its own for requests
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Kept(logging.StreamHandler[TextIO]):
    """A handler of ours, whose stream is nobody else's."""


def set_up_beside_dagster(log_format: LogFormat, *names: str) -> None:
    """Have the lines of these loggers written where this process's errors go, and nowhere else.

    Dagster has handlers of its own, and turns standard error into a file while a step works: so the descriptor is kept
    as it was.
    """
    handler = _Kept(_kept_stderr())
    handler.setFormatter(formatter(log_format))
    for name in names:
        logger = logging.getLogger(name)
        for earlier in [each for each in logger.handlers if isinstance(each, _Kept)]:
            logger.removeHandler(earlier)
            earlier.stream.close()
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def _kept_stderr() -> TextIO:
    try:
        return os.fdopen(os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2), "w", buffering=1)
    except OSError:  # a process without one
        return open(os.devnull, "w")  # noqa: PTH123 - kept for good
