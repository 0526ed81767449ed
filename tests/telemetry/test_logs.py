"""Log lines: one line each, whatever they contain, with the request and the run that they belong to."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from telemetry import logs, request_ids
from telemetry.logs import JsonFormatter, TextFormatter

HOSTILE = 'said "no"\n{"level": "info"}\r\x1b[31m\u2028\ud800 Fabrică'


def record(message: str, **extra: Any) -> logging.LogRecord:
    """Return a log record with a message and extra fields."""
    return logging.getLogger("tests.logs").makeRecord(
        "tests.logs", logging.WARNING, __file__, 1, message, (), None, extra=extra
    )


@pytest.fixture(autouse=True)
def no_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process without bound fields, outside of a request."""
    monkeypatch.setattr(logs, "_process_fields", {})
    token = request_ids._current.set(None)
    yield
    request_ids._current.reset(token)


@pytest.mark.parametrize("text", [HOSTILE, "", "%s", "plain"])
def test_json_format_writes_one_object_a_line_whatever_is_logged(text: str) -> None:
    line = JsonFormatter().format(record(text.replace("%", "%%"), idno=text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    read = json.loads(line)
    assert read["idno"] == text
    assert (read["level"], read["logger"]) == ("warning", "tests.logs")


def test_text_format_indents_foreign_lines() -> None:
    line = TextFormatter().format(record(HOSTILE, idno=HOSTILE))
    head, *rest = line.split("\n")
    assert " WARNING tests.logs: said" in head
    assert all(further.startswith("  ") for further in rest)
    assert "\x1b" not in head.partition("[idno=")[2]


def test_lines_carry_the_request_id_and_the_fields_of_the_process() -> None:
    logs.bind(service="run", run_id="r-1", kind=None)
    request_ids.begin("mine-1")
    read = json.loads(JsonFormatter().format(record("x", attempt=2, error=None)))
    assert (read["service"], read["run_id"], read["request_id"], read["attempt"]) == (
        "run",
        "r-1",
        "mine-1",
        2,
    )
    assert not {"kind", "error"} & read.keys()


def test_line_contains_the_exception() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        failed = record("failed")
        failed.exc_info = (type(error), error, error.__traceback__)
    assert "ValueError: no" in json.loads(JsonFormatter().format(failed))["exception"]


@pytest.mark.parametrize("given", ["a", "3f2b8c1e-5f6a-4f6e-9b57-1d2b7c1a9e10", "Order_7.b", "x" * 64])
def test_valid_request_id_of_a_client_is_kept(given: str) -> None:
    assert request_ids.begin(given) == given == request_ids.current()


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "-a", "id;DROP", "идно", "a\x00"])
def test_invalid_request_id_is_replaced_by_a_new_one(given: str | None) -> None:
    made = {request_ids.begin(given) for _ in range(3)}
    assert len(made) == 3
    assert given not in made
