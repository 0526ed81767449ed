"""Measures cached answers of the API beside the smallest endpoint that does the same: `make bench-api`.

    .venv/bin/python -m benchmarks.api [--quick] [--rounds N] [--seconds S]

Both run under uvicorn as in production, one process each, on the same Valkey. The smallest endpoint verifies the
token, gets the record from Redis and answers with it; ours also counts limits, asks whether session and account are
still good, and serves only what is fresh.
"""

from benchmarks.api.plot import write_plot
from benchmarks.api.report import told, write_json
from benchmarks.api.rounds import ApiPlan, measure
from benchmarks.command import keep, parser_of


def main() -> None:
    """Run the benchmark."""
    parser = parser_of("api", __doc__, quick="one short round")
    for name, kind in (("rounds", int), ("seconds", float)):
        default = getattr(ApiPlan, name)
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"default {default}")
    arguments = parser.parse_args()
    plan = ApiPlan(rounds=1, seconds=1.0) if arguments.quick else ApiPlan(arguments.rounds, arguments.seconds)
    report = measure(plan)
    keep(report, "api", arguments.results, told=told, write_json=write_json, write_plot=write_plot)


if __name__ == "__main__":
    main()
