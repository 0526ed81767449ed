"""Compares the API's cached responses with those of the smallest comparable endpoint: `make bench-api`.

    .venv/bin/python -m benchmarks.api [--quick] [--rounds N] [--seconds S]

Both run under uvicorn as in production, with one process each, and use the same Valkey. The smallest endpoint only
verifies the token and returns the record from Valkey. The API also applies rate limits, checks that the session and the
account are valid, and serves only fresh records.
"""

from benchmarks.api.plot import write_plot
from benchmarks.api.report import as_text, write_json
from benchmarks.api.rounds import ApiPlan, measure
from benchmarks.command import benchmark_parser, publish_report


def main() -> None:
    """Run the benchmark."""
    parser = benchmark_parser("api", __doc__, quick="one short round")
    for name, kind in (("rounds", int), ("seconds", float)):
        default = getattr(ApiPlan, name)
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = ApiPlan(rounds=1, seconds=1.0) if arguments.quick else ApiPlan(arguments.rounds, arguments.seconds)
    report = measure(plan)
    publish_report(
        report, "api", arguments.results, as_text=as_text, write_json=write_json, write_plot=write_plot
    )


if __name__ == "__main__":
    main()
