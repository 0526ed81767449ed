"""Measures cached answers of the API beside the smallest endpoint that does the same: `make bench-api`.

    .venv/bin/python -m benchmarks.api [--quick] [--rounds N] [--seconds S]

Both run under uvicorn as in production, one process each, on the same Valkey. The smallest endpoint verifies the
token, gets the record from Redis and answers with it; ours also counts limits, asks whether session and account are
still good, and serves only what is fresh.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.api.plot import write_plot
from benchmarks.api.report import told, write_json
from benchmarks.api.rounds import Plan, measure

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    plan = Plan(arguments.rounds, arguments.seconds)
    if arguments.quick:
        plan = Plan(rounds=1, seconds=1.0)
    report = measure(plan)
    print(told(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "api.json")
    write_plot(report, arguments.results / "api.png")
    print(f"written to {arguments.results}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: does it work at all?")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help=f"default {Plan.rounds}")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help=f"default {Plan.seconds}")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    return parser


if __name__ == "__main__":
    main()
