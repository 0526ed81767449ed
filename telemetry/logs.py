"""Log lines: text for people, or one JSON object a line for programs.

Each line carries the fields of its process (`bind`), the ids of the request and the trace, and the fields that the
caller passes as `extra`: `logger.info("visited", extra={"idno": idno})`.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from telemetry import request_ids, traces
from telemetry.settings import LogFormat

_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}
"""The attributes that every log record has. All other attributes come from `extra`."""
_VERBOSE_LIBRARIES = ("httpx", "httpcore", "websocket")
"""Libraries that log a line for each request or connection that we make."""

_process_fields: dict[str, Any] = {}


def bind(**fields: Any) -> None:
    """Add fields (such as the service or the run) to every further log line of this process."""
    _process_fields.update({name: value for name, value in fields.items() if value is not None})


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a log record: the process's fields, the ids of the request and the trace, and `extra`."""
    fields = dict(_process_fields)
    if (request_id := request_ids.current()) is not None:
        fields["request_id"] = request_id
    if (trace_id := traces.trace_id()) is not None:
        fields["trace_id"] = trace_id
    fields |= {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
    return {name: value for name, value in fields.items() if value is not None}


class JsonFormatter(logging.Formatter):
    """Formats a log record as one line with a JSON object: time, level, logger, message, then the record's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
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
        # ASCII only: an unpaired surrogate or a Unicode line separator would break the line.
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """Formats a log record as text, followed by the record's fields in brackets."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text; further lines are indented, so that foreign text cannot imitate a log line."""
        fields = " ".join(f"{name}={_quoted(value)}" for name, value in fields_of(record).items())
        head, *rest = super().format(record).split("\n")
        return "\n".join([f"{head}  [{fields}]" if fields else head, *(f"  {line}" for line in rest)])


def _quoted(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)


def formatter(log_format: LogFormat) -> logging.Formatter:
    """Return the formatter for a log format."""
    return JsonFormatter() if log_format is LogFormat.JSON else TextFormatter()


def set_up(log_format: LogFormat, *, service: str) -> None:
    """Write all log lines of this process to standard error, also those of uvicorn. Remove uvicorn's own handlers."""
    bind(service=service)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the API logs requests itself
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


class _OwnStreamHandler(logging.StreamHandler[TextIO]):
    """A handler that closes its stream when it is removed, because nothing else uses the stream."""


def set_up_beside_dagster(log_format: LogFormat, *names: str) -> None:
    """Write the lines of the named loggers to this process's standard error only.

    Dagster has handlers of its own and redirects standard error to a file while a step runs. The handler therefore
    writes to a duplicate of the original descriptor.
    """
    handler = _OwnStreamHandler(_duplicated_stderr())
    handler.setFormatter(formatter(log_format))
    for name in names:
        logger = logging.getLogger(name)
        for earlier in [old for old in logger.handlers if isinstance(old, _OwnStreamHandler)]:
            logger.removeHandler(earlier)
            earlier.stream.close()
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def _duplicated_stderr() -> TextIO:
    try:
        return os.fdopen(os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2), "w", buffering=1)
    except OSError:  # the process has no standard error
        return open(os.devnull, "w")  # noqa: PTH123 - stays open as long as the process
