"""Measures re-transformation beside a plain loop over the same captures: `make bench-transform`.

    .venv/bin/python -m benchmarks.transform [--quick] [--rounds N] [--captures N] [--many N]

The plain loop parses with `html.parser` and inserts row by row, with a commit a company; it gets its documents out of
memory, ours come out of PostgreSQL.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.transform.plot import write_plot
from benchmarks.transform.report import told, write_json
from benchmarks.transform.rounds import Plan, measure

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    plan = Plan(arguments.captures, arguments.rounds, arguments.many)
    if arguments.quick:
        plan = Plan(captures=300, rounds=1, many=600)
    report = measure(plan)
    print(told(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "transform.json")
    write_plot(report, arguments.results / "transform.png")
    print(f"written to {arguments.results}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transform", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few captures, one round: does it work at all?")
    for name in ("rounds", "captures", "many"):
        default = getattr(Plan, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    return parser


if __name__ == "__main__":
    main()
