"""The command `registru` in the process of the tests, because starting it takes longer than most of its work."""

import signal
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from stack.cli import main


@dataclass(frozen=True)
class FinishedCommand:
    """What a command returned and printed."""

    status: int
    output: str
    errors: str


def registru(*arguments: str | Path) -> FinishedCommand:
    """Run the command with these arguments. Its signal handlers are replaced by the previous ones afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    output, errors = StringIO(), StringIO()
    try:
        with redirect_stdout(output), redirect_stderr(errors):
            status = main([str(argument) for argument in arguments])
    except SystemExit as refused:  # of argparse
        status = int(refused.code or 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return FinishedCommand(status, output.getvalue(), errors.getvalue())
