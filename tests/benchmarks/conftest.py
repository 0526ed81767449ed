"""The small rounds of the benchmarks measure nothing, so their PostgreSQL servers need not wait for the disk."""

import pytest

from stack import postgres
from stack.home import Home
from stack.secrets import Secrets
from tests.warehouse_server import FAST


@pytest.fixture(autouse=True)
def _fast_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare, command_line = postgres.prepare, postgres.command_line

    def prepare_fast(home: Home, secrets: Secrets, *, durable: bool = True) -> None:
        prepare(home, secrets, durable=False)

    def fast_command_line(home: Home, port: int) -> list[str]:
        return [*command_line(home, port), *FAST]

    monkeypatch.setattr(postgres, "prepare", prepare_fast)
    monkeypatch.setattr(postgres, "command_line", fast_command_line)
