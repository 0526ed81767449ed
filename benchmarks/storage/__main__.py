"""Measures the bytes that captures cost in PostgreSQL: `make bench-storage`.

    .venv/bin/python -m benchmarks.storage [--quick] [--results FOLDER]

Beside it, in the same server: a row a capture with the page and the data in it; and gzip files, a file a body.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.storage.plot import write_plot
from benchmarks.storage.report import told, write_json
from benchmarks.storage.rounds import Plan, measure

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    report = measure(Plan(visited=4, companies=40) if arguments.quick else Plan())
    print(told(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "storage.json")
    write_plot(report, arguments.results / "storage.png")
    print(f"written to {arguments.results}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few companies: does it work at all?")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    return parser


if __name__ == "__main__":
    main()
