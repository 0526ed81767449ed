"""What every benchmark's command has in common: its options, and what becomes of its report."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_RESULTS = Path(__file__).parent / "results"
_Report = TypeVar("_Report")


def parser_of(name: str, about: str | None, *, quick: str) -> argparse.ArgumentParser:
    """Return the parser of a benchmark's command; `quick` says what a quick one takes. SIGTERM ends it in order."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--quick", action="store_true", help=f"{quick}: does it work at all?")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="where what comes out is written"
    )
    return parser


def say(message: str) -> None:
    """Say on standard error what a benchmark is at."""
    print(f"{message} ...", file=sys.stderr, flush=True)


def keep(
    report: _Report,
    name: str,
    folder: Path,
    *,
    told: Callable[[_Report], str],
    write_json: Callable[[_Report, Path], None],
    write_plot: Callable[[_Report, Path], None],
) -> None:
    """Print a report, and write it to a folder as JSON and as a plot."""
    print(told(report))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(report, folder / f"{name}.json")
    write_plot(report, folder / f"{name}.png")
    print(f"written to {folder}")
