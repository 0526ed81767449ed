"""Measures the latency of a request for a company: `make bench-latency`.

    .venv/bin/python -m benchmarks.latency [--companies N]

Measures the time from `POST /scrape/`, through the gateway, the API and Dagster, to the response with the record. There
are two variants for comparison:

- a script that only starts Chrome, loads the page, waits for the company, reads it and quits;
- the same platform with Dagster's own launcher and without warm browsers.

All variants run in turns against the stand-in site.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.latency.plot import write_plot
from benchmarks.latency.report import as_text, write_json
from benchmarks.latency.rounds import LatencyPlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("latency", __doc__, quick="2 companies")
    parser.add_argument(
        "--companies", type=int, default=LatencyPlan.companies, help=f"default {LatencyPlan.companies}"
    )
    arguments = parser.parse_args()
    report = measure(LatencyPlan(2 if arguments.quick else arguments.companies))
    publish_report(
        report, "latency", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
