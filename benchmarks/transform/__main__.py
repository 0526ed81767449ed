"""Compares re-transformation with a plain loop over the same captures: `make bench-transform`.

    .venv/bin/python -m benchmarks.transform [--quick] [--rounds N] [--captures N] [--many N]

The plain loop parses with `html.parser` and inserts row by row, with one commit per company. It has an advantage: it
reads the captures from memory, while the re-transformation reads them from PostgreSQL.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.transform.plot import write_plot
from benchmarks.transform.report import as_text, write_json
from benchmarks.transform.rounds import TransformPlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("transform", __doc__, quick="few captures, one round")
    for name in ("rounds", "captures", "many"):
        default = getattr(TransformPlan, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = TransformPlan(arguments.captures, arguments.rounds, arguments.many)
    if arguments.quick:
        plan = TransformPlan(captures=300, rounds=1, many=600)
    report = measure(plan)
    publish_report(
        report, "transform", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
