"""Measures how what the platform does grows with the companies in its tables: `make bench-scale`.

    .venv/bin/python -m benchmarks.scale [--quick] [--results FOLDER]

A PostgreSQL and a Valkey of its own are filled with 1,000, 10,000 and 100,000 companies of three captures each, and
with as many scrapes that ended; the platform's own functions are timed at each size.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.scale.plot import write_plot
from benchmarks.scale.report import told, write_json
from benchmarks.scale.rounds import Plan, measure

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    plan = Plan(sizes=(300, 1000, 3000), originals=100, part=0.1) if arguments.quick else Plan()
    report = measure(plan)
    print(told(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "scale.json")
    write_plot(report, arguments.results / "scale.png")
    print(f"written to {arguments.results}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few companies: does it work at all?")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    return parser


if __name__ == "__main__":
    main()
