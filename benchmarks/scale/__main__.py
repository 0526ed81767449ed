"""Measures how what the platform does grows with the companies in its tables: `make bench-scale`.

    .venv/bin/python -m benchmarks.scale [--quick] [--results FOLDER]

A PostgreSQL and a Valkey of its own are filled with 1,000, 10,000 and 100,000 companies of three captures each, and
with as many scrapes that ended; the platform's own functions are timed at each size.
"""

from benchmarks.command import keep, parser_of
from benchmarks.scale.plot import write_plot
from benchmarks.scale.report import told, write_json
from benchmarks.scale.rounds import ScalePlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("scale", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(
        ScalePlan(sizes=(300, 1000, 3000), originals=100, part=0.1) if arguments.quick else ScalePlan()
    )
    keep(report, "scale", arguments.results, told=told, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
