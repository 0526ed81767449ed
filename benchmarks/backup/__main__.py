"""Measures `registru backup`, its verification and `registru restore`: `make bench-backup`.

    .venv/bin/python -m benchmarks.backup [--quick] [--results FOLDER]

Compares them with pg_dump and pg_restore alone, which do not verify the backup. All operations run in turns, on the
same server and the same database.
"""

from benchmarks.backup.plot import write_plot
from benchmarks.backup.report import as_text, write_json
from benchmarks.backup.rounds import BackupPlan, measure
from benchmarks.command import benchmark_parser, publish_report


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("backup", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(BackupPlan(visited=2, companies=50, rounds=1) if arguments.quick else BackupPlan())
    publish_report(
        report, "backup", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
