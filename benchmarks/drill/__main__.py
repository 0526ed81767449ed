"""Kills, pauses and restarts each part of a platform under load, and reports what clients saw: `make drill`.

    .venv/bin/python -m benchmarks.drill [--only PART,PART] [--seed N] [--quick]

Starts a platform of its own in a new home; it scrapes the stand-in site. Exits with status 1 if anything was lost or a
part did not recover. docs/drill.md explains the report.
"""

import argparse
import sys

from benchmarks.command import benchmark_parser
from benchmarks.drill.drill_faults import PARTS
from benchmarks.drill.report import as_markdown, write_json, write_markdown
from benchmarks.drill.rounds import DrillPlan, drill


def main() -> int:
    """Run the drill."""
    parser = benchmark_parser("drill", __doc__, quick="only three kills, or the kills of the named parts")
    parser.add_argument(
        "--only",
        type=parts_of,
        default=[],
        metavar="PART,PART",
        help=f"parts to test, out of {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--seed", type=int, default=1, help="selects the requested companies (default 1)")
    options = parser.parse_args()
    try:
        report = drill(DrillPlan.of(options.only, quick=options.quick, seed=options.seed))
    except AssertionError as error:  # a wait for a precondition timed out
        sys.exit(f"the drill could not continue: {error}")
    print(as_markdown(report))
    options.results.mkdir(parents=True, exist_ok=True)
    write_json(report, options.results / "drill.json")
    write_markdown(report, options.results / "drill.md")
    print(f"written to {options.results}")
    return 0 if report.passed else 1


def parts_of(text: str) -> list[str]:
    """Return the parts in a comma-separated list. Raises ArgumentTypeError for an unknown part."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"unknown part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
