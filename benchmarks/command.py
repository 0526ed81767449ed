"""What all benchmarks share: command-line options, progress messages and the output of reports."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_RESULTS = Path(__file__).parent / "results"
_Report = TypeVar("_Report")


def benchmark_parser(name: str, description: str | None, *, quick: str) -> argparse.ArgumentParser:
    """Return the argument parser of the benchmark `name`, and make SIGTERM stop the benchmark cleanly.

    `quick` is the help text of the option `--quick`: what a quick run does.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # sys.exit runs the cleanup of started processes
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--quick", action="store_true", help=f"{quick}; only checks that the benchmark works")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="folder for the results"
    )
    return parser


def log_progress(message: str) -> None:
    """Print a message on the current step of a benchmark to standard error."""
    print(f"{message} ...", file=sys.stderr, flush=True)


def publish_report(
    report: _Report,
    name: str,
    folder: Path,
    *,
    as_text: Callable[[_Report], str],
    write_json: Callable[[_Report, Path], None],
    write_plot: Callable[[_Report, Path], None],
) -> None:
    """Print a report and write it to a folder as JSON and as a plot.

    Args:
        report: The results of the benchmark.
        name: File name of the results, without its extension.
        folder: Where to write them; created if missing.
        as_text: Returns the text to print.
        write_json: Writes the report as JSON.
        write_plot: Writes the report as a PNG.
    """
    print(as_text(report))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(report, folder / f"{name}.json")
    write_plot(report, folder / f"{name}.png")
    print(f"written to {folder}")
