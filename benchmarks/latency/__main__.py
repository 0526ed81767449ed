"""Measures how long somebody waits for a company: `make bench-latency`.

    .venv/bin/python -m benchmarks.latency [--companies N]

`POST /scrape/` until the data is there, through the gateway, the API and Dagster; beside a script that only starts
Chrome, loads the page, waits for the company, reads it and quits; and beside the same platform with Dagster's own
launcher and no browsers kept running. All against the stand-in site, in turns.
"""

from benchmarks.command import keep, parser_of
from benchmarks.latency.plot import write_plot
from benchmarks.latency.report import told, write_json
from benchmarks.latency.rounds import LatencyPlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("latency", __doc__, quick="2 companies")
    parser.add_argument(
        "--companies", type=int, default=LatencyPlan.companies, help=f"default {LatencyPlan.companies}"
    )
    arguments = parser.parse_args()
    report = measure(LatencyPlan(2 if arguments.quick else arguments.companies))
    keep(report, "latency", arguments.results, told=told, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
