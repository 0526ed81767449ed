"""Measures how long somebody waits for a company: `make bench-latency`.

    .venv/bin/python -m benchmarks.latency [--companies N]

`POST /scrape/` until the data is there, through the gateway, the API and Dagster; beside a script that only starts
Chrome, loads the page, waits for the company, reads it and quits; and beside the same platform with Dagster's own
launcher and no browsers kept running. All against the stand-in site, in turns.
"""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.latency.plot import write_plot
from benchmarks.latency.report import told, write_json
from benchmarks.latency.rounds import Plan, measure

_RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--companies", type=int, default=Plan.companies, help=f"default {Plan.companies}")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the JSON and the plot"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    report = measure(Plan(arguments.companies))
    print(told(report))
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_json(report, arguments.results / "latency.json")
    write_plot(report, arguments.results / "latency.png")
    print(f"written to {arguments.results}")


if __name__ == "__main__":
    main()
