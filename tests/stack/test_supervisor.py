"""The supervisor passes settings on unchanged, reports failed processes and restarts processes by name."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from stack.home import Home
from stack.platform import check_processes
from stack.processes import PLATFORM, STORES, Program
from stack.stack_error import StackError
from stack.supervisor import Supervisor, _environment, starting_supervisor
from tests.polling import wait_for


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home. Signal handlers are restored afterwards, because stopping a supervisor ignores signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Home.at(tmp_path / "home")
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "value",
    ["plain", "", "a=b,c d", "50%", json.dumps([{"secret": "x", "retired_at": "2026-01-01T00:00:00+00:00"}]),
     json.dumps(["https://a.example", "https://b.example:8443"]), "it's"],
)  # fmt: skip
def test_setting_reaches_the_process_unchanged(value: str) -> None:
    written = _environment({"ONE": value, "TWO": "2"})
    read = dict_of_key_value_pairs(written.replace("%%", "%"))
    assert read == {"ONE": value, "TWO": "2"}


def test_setting_with_both_kinds_of_quotes_is_refused_by_name() -> None:
    with pytest.raises(StackError, match="ONE"):
        _environment({"ONE": "\"'"})


def test_exited_process_that_the_supervisor_restarts_has_not_failed(home: Home) -> None:
    check_processes(home, {"code": "EXITED", "api": "RUNNING", "daemon": "BACKOFF"})


def test_process_that_does_not_start_is_reported_with_its_log(home: Home) -> None:
    (home.logs / "api.log").write_text("no such thing\n")
    with pytest.raises(StackError, match=r"(?s)api does not start.*no such thing"):
        check_processes(home, {"code": "RUNNING", "api": "FATAL"})


@pytest.mark.usefixtures("starts_stores")
def test_process_is_restarted_by_name(home: Home) -> None:
    programs = [Program("one", STORES, ["sleep", "600"]), Program("long", PLATFORM, ["sleep", "600"])]
    with starting_supervisor(home, warm=False) as configure:
        supervisor = configure(programs)
        supervisor.start(STORES)
        first = pid_of(supervisor)
        supervisor.restart("one")
        wait_for("another process", lambda: pid_of(supervisor) != first)


def pid_of(supervisor: Supervisor) -> int:
    return wait_for("a process", lambda: supervisor.pids().get("one"))
