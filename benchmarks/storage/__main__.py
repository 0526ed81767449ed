"""Measures how many bytes captures take in PostgreSQL: `make bench-storage`.

    .venv/bin/python -m benchmarks.storage [--quick] [--results FOLDER]

Compares this with two simple ways to store captures: a table on the same server with one row per capture, which
contains the page and the data; and one gzip file per body.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.storage.plot import write_plot
from benchmarks.storage.report import as_text, write_json
from benchmarks.storage.rounds import StoragePlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("storage", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(StoragePlan(visited=4, companies=40) if arguments.quick else StoragePlan())
    publish_report(
        report, "storage", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
