"""Measures `registru backup`, its verification and `registru restore`: `make bench-backup`.

    .venv/bin/python -m benchmarks.backup [--quick] [--results FOLDER]

Beside them, on the same server and in turns: pg_dump and pg_restore of the same database alone, with nothing verified.
"""

from benchmarks.backup.plot import write_plot
from benchmarks.backup.report import told, write_json
from benchmarks.backup.rounds import BackupPlan, measure
from benchmarks.command import keep, parser_of


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("backup", __doc__, quick="few companies")
    arguments = parser.parse_args()
    report = measure(BackupPlan(visited=2, companies=50, rounds=1) if arguments.quick else BackupPlan())
    keep(report, "backup", arguments.results, told=told, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
