"""Compares ways to fetch companies' pages: `make bench-extract`.

    .venv/bin/python -m benchmarks.extract [--quick] [--rounds N] [--companies N]

Every way fetches the same companies from stand-in sites: one whose API responds immediately, so that the CPU is the
limit; and one whose API takes 300 ms per response, as a live site may. A wrong page aborts the benchmark.
"""

from benchmarks.command import benchmark_parser, publish_report
from benchmarks.extract.playwright_way import playwright_way
from benchmarks.extract.plot import write_plot
from benchmarks.extract.report import as_text, write_json
from benchmarks.extract.rounds import ExtractPlan, measure
from benchmarks.extract.ways import our_ways


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("extract", __doc__, quick="one round of 4 companies")
    for name in ("rounds", "companies"):
        default = getattr(ExtractPlan, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = ExtractPlan(rounds=arguments.rounds, companies=arguments.companies)
    if arguments.quick:
        plan = ExtractPlan(rounds=1, companies=4, tabs=(4,))
    report = measure(plan, [*our_ways(plan.tabs), *map(playwright_way, plan.tabs)])
    publish_report(
        report, "extract", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
