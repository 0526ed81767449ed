"""Measures the ways to fetch companies' pages in turns and writes what came out: `make bench-extract`.

    .venv/bin/python -m benchmarks.extract [--quick] [--rounds N] [--companies N]

Every way fetches the same companies of the same stand-in site, once with an API that answers at once (what counts
is the CPU) and once with one that takes 300 ms an answer, as a live site may. A way with a wrong page ends it all.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.extract.playwright_way import playwright_way
from benchmarks.extract.plot import write_plot
from benchmarks.extract.report import table, write_json
from benchmarks.extract.rounds import Plan, measured_in_turns
from benchmarks.extract.ways import our_ways

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    plan = Plan(rounds=arguments.rounds, companies=arguments.companies)
    if arguments.quick:
        plan = Plan(rounds=1, companies=4, tabs=(4,))

    report = measured_in_turns(plan, [*our_ways(plan.tabs), *map(playwright_way, plan.tabs)])
    print(table(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "extract.json")
    write_plot(report, arguments.results / "extract.png")
    print(f"written to {arguments.results}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 4 companies: does it work at all?")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help=f"default {Plan.rounds}")
    parser.add_argument("--companies", type=int, default=Plan.companies, help=f"default {Plan.companies}")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    return parser


if __name__ == "__main__":
    main()
