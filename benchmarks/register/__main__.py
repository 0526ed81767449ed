"""Compares readers of the bulk register's file: `make bench-register`.

    .venv/bin/python -m benchmarks.register [--quick] [--rounds N] [--companies N]

It writes a file of 300,000 made-up companies. Then the project's reader (openpyxl, with the texts on disk), openpyxl's
own streaming reader and python-calamine read it, each in a process of its own.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.register.plot import write_plot
from benchmarks.register.report import as_text, write_json
from benchmarks.register.rounds import RegisterPlan, measure


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("register", __doc__, quick="few companies, one round")
    for name in ("rounds", "companies"):
        default = getattr(RegisterPlan, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = RegisterPlan(arguments.companies, arguments.rounds)
    if arguments.quick:
        plan = RegisterPlan(companies=2000, rounds=1)
    report = measure(plan)
    publish_report(
        report, "register", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
