"""Measures the ways to fetch companies' pages in turns and writes what came out: `make bench-extract`.

    .venv/bin/python -m benchmarks.extract [--quick] [--rounds N] [--companies N]

Every way fetches the same companies of the same stand-in site, once with an API that answers at once (what counts
is the CPU) and once with one that takes 300 ms an answer, as a live site may. A way with a wrong page ends it all.
"""

from benchmarks.command import keep, parser_of
from benchmarks.extract.playwright_way import playwright_way
from benchmarks.extract.plot import write_plot
from benchmarks.extract.report import table, write_json
from benchmarks.extract.rounds import ExtractPlan, measured_in_turns
from benchmarks.extract.ways import our_ways


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("extract", __doc__, quick="one round of 4 companies")
    for name in ("rounds", "companies"):
        default = getattr(ExtractPlan, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = ExtractPlan(rounds=arguments.rounds, companies=arguments.companies)
    if arguments.quick:
        plan = ExtractPlan(rounds=1, companies=4, tabs=(4,))
    report = measured_in_turns(plan, [*our_ways(plan.tabs), *map(playwright_way, plan.tabs)])
    keep(report, "extract", arguments.results, told=table, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
