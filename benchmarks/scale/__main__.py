"""Measures how operations slow down with the number of stored companies: `make bench-scale`.

    .venv/bin/python -m benchmarks.scale [--quick] [--results FOLDER]

Starts a PostgreSQL and a Valkey. Fills them to 1,000, then 10,000, then 100,000 companies with three captures and three
finished scrapes each, and times the platform's own functions at each size.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.scale.plot import write_plot
from benchmarks.scale.report import as_text, write_json
from benchmarks.scale.rounds import ScalePlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("scale", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(
        ScalePlan(sizes=(300, 1000, 3000), originals=100, part=0.1) if arguments.quick else ScalePlan()
    )
    publish_report(
        report, "scale", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
