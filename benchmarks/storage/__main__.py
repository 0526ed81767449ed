"""Measures the bytes that captures cost in PostgreSQL: `make bench-storage`.

    .venv/bin/python -m benchmarks.storage [--quick] [--results FOLDER]

Beside it, in the same server: a row a capture with the page and the data in it; and gzip files, a file a body.
"""

from benchmarks.command import keep, parser_of
from benchmarks.storage.plot import write_plot
from benchmarks.storage.report import told, write_json
from benchmarks.storage.rounds import StoragePlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("storage", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(StoragePlan(visited=4, companies=40) if arguments.quick else StoragePlan())
    keep(report, "storage", arguments.results, told=told, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
